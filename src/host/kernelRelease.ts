/** The running kernel, as uname(2) names it. */
import { release, version } from 'node:os';

export interface KernelRelease {
  /** `uname -r`: `6.12.48+deb13-amd64`. */
  readonly release: string;
  /** `uname -v`: `#1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1 (2025-09-20)`. */
  readonly version: string;
}

export const runningKernel = (): KernelRelease => ({ release: release(), version: version() });

/**
 * Returns the flavour of a kernel of Debian or Ubuntu (`amd64`, `cloud-amd64`, `generic`) from its `uname -r`;
 * undefined for any other.
 */
export function flavourOf(text: string): string | undefined {
  return /^\d+\.\d+[^-]*(?:-\d[^-]*)?-([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/.exec(text)?.[1];
}

/** Returns the package version that a Debian kernel was built from, which `uname -v` names. */
export function debianVersionOf({ version: text }: KernelRelease): string | undefined {
  return / Debian (\d\S*)/.exec(text)?.[1];
}
