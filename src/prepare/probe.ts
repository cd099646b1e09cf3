/** Looks at how far this machine is prepared, for `doctor`. Changes nothing and needs no root, though root sees more. */
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { hasSystemd, incusDir, mountPoints, socketAnswers } from './daemon.ts';
import { incusState } from './initialise.ts';
import type { IncusState } from './initialise.ts';
import { lowLimits } from '../host/kernelLimits.ts';
import { kernelHas, missingPackages } from './packages.ts';
import { readOsRelease, supportedRelease } from './release.ts';
import { dropInState, sshdRuns } from './sshd.ts';
import type { SshdDropIn } from './sshdDropIn.ts';

export interface HostProbe {
  /** The release's own name for itself. */
  readonly os: string;
  /** Whether this machine can be prepared automatically. */
  readonly supported: boolean;
  readonly root: boolean;
  readonly systemd: boolean;
  /** Packages that `--real` would install; `undefined` where there is no dpkg. */
  readonly missingPackages: readonly string[] | undefined;
  /** File systems of this kernel that give containers a disk size. */
  readonly zfs: boolean;
  readonly btrfs: boolean;
  readonly lxcfs: boolean;
  /** Whether the daemon's socket answers this user. */
  readonly incusAnswers: boolean;
  /** Pool, bridge and profile; `undefined` where Incus does not answer. */
  readonly incus: IncusState | undefined;
  readonly lowKernelLimits: readonly string[];
  readonly sshdRuns: boolean;
  readonly sshdDropIn: 'current' | 'different' | 'missing';
}

export async function probeHost(settings: SshdDropIn): Promise<HostProbe> {
  const os = await readOsRelease();
  let supported = true;
  try {
    supportedRelease(os);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    supported = false;
  }
  const answers = await socketAnswers(join(incusDir(), 'unix.socket'));
  const missing = await missingPackages().catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'program-missing') return undefined;
    throw error;
  });
  return {
    os: os.name,
    supported,
    root: process.getuid?.() === 0,
    systemd: await hasSystemd(),
    missingPackages: missing === undefined ? undefined : [...(missing.incus ? ['incus'] : []), ...missing.others],
    zfs: await kernelHas('zfs'),
    btrfs: await kernelHas('btrfs'),
    lxcfs: (await mountPoints()).includes('/var/lib/lxcfs'),
    incusAnswers: answers,
    incus: answers ? await incusState() : undefined,
    lowKernelLimits: await lowLimits(),
    sshdRuns: await sshdRuns(),
    sshdDropIn: await dropInState(settings),
  };
}
