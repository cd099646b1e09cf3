/** Gives `doctor` what it looks at. */
import { join } from 'node:path';
import { Btrfs } from '../host/btrfs.ts';
import { diskOf } from '../host/disks.ts';
import { runningKernel } from '../host/kernelRelease.ts';
import { Packages } from '../host/packages.ts';
import type { Runner } from '../host/runner.ts';
import { Sshd } from '../host/sshd.ts';
import { poolTrouble } from '../host/zpool.ts';
import type { DoctorTools, ServerTools } from '../service/checks/tools.ts';
import type { Logins } from './logins/logins.ts';
import { loginLimits } from './turns/places.ts';

export interface DoctorParts extends Pick<DoctorTools, 'front' | 'authorizedKeysFolder' | 'verifyJournal'> {
  readonly runner: Runner;
  readonly sshdConfig: string;
  readonly folders: { readonly keys: string; readonly state: string; readonly journal: string };
  readonly admins: ServerTools['admins'];
  readonly logins: Logins;
}

export function doctorTools(parts: DoctorParts): DoctorTools {
  const { front, authorizedKeysFolder, verifyJournal, runner, sshdConfig, folders, admins, logins } = parts;
  return {
    front,
    authorizedKeysFolder,
    verifyJournal,
    sshd: new Sshd(runner, sshdConfig),
    server: {
      hostKeyPath: join(folders.keys, 'host_ed25519'),
      stateFolder: folders.state,
      journalFolder: folders.journal,
      admins,
      logins: () => ({
        open: logins.list().filter(({ entryPoint }) => entryPoint !== 'local').length,
        max: loginLimits.all,
      }),
    },
    packages: new Packages(runner),
    btrfs: new Btrfs(runner),
    kernel: runningKernel,
    node: { version: process.version, path: process.execPath },
    diskOf: (path) => diskOf(path).catch(() => undefined),
    poolTrouble: (pool, signal) => poolTrouble(runner, pool, signal),
  };
}
