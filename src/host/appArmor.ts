/** AppArmor in the running kernel, and the profile that confines a process. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Returns the text of a file; undefined if there is no such file. */
async function textOf(path: string, missing: readonly string[] = ['ENOENT']): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && missing.includes(String(error.code))) return undefined;
    throw error;
  }
}

/** Reports whether the kernel has AppArmor and has it switched on. */
export async function kernelHasAppArmor(root = '/'): Promise<boolean> {
  return (await textOf(join(root, 'sys/module/apparmor/parameters/enabled')))?.trim() === 'Y';
}

/** Returns the kernel's active security modules; undefined if securityfs is not mounted. */
export async function securityModules(root = '/'): Promise<readonly string[] | undefined> {
  return (await textOf(join(root, 'sys/kernel/security/lsm')))?.trim().split(',');
}

/**
 * Returns the AppArmor label of a process, such as `unconfined` or `incus-a_</var/lib/incus> (enforce)`; undefined if
 * the process has ended. Older kernels have only the file that all security modules share (proc_pid_attr(5)).
 */
export async function labelOf(pid: number, root = '/'): Promise<string | undefined> {
  const ended = ['ENOENT', 'ESRCH'];
  const folder = join(root, 'proc', String(pid), 'attr');
  const text =
    (await textOf(join(folder, 'apparmor/current'), ended)) ?? (await textOf(join(folder, 'current'), ended));
  return text?.replace(/\0$/, '').trim();
}

/**
 * Reports whether a label is the profile that Incus loads for an instance, in enforce mode. Incus stacks a namespace of
 * the instance's own on it: `incus-a_</var/lib/incus>//&:incus-a_<var-lib-incus>:unconfined (enforce)`.
 */
export function isIncusProfile(label: string, instance: string): boolean {
  return label.startsWith(`incus-${instance}_<`) && label.endsWith(' (enforce)');
}
