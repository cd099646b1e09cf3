/** The simulated host programs. A program without an entry counts as not installed. */
import type { Program } from '../host/runner.ts';
import { getent, groupadd, pkill, useradd, userdel } from './accounts/accounts.ts';
import type { SimulatedProgram } from './program/answer.ts';
import { incus } from './incus/incus.ts';
import { keyscan } from './inside/keyscan.ts';
import { journalctl } from './sshd/journalctl.ts';
import { ip } from './network/ip.ts';
import { nft } from './network/nft.ts';
import { logger, sendmail } from './outside/outside.ts';
import { systemctl, systemdRun, zfs } from './zfs/zfs.ts';
import { zpool } from './zfs/zpool.ts';

export const programs: Readonly<Partial<Record<Program, SimulatedProgram>>> = {
  incus,
  useradd,
  userdel,
  groupadd,
  getent,
  pkill,
  ip,
  nft,
  'ssh-keyscan': keyscan,
  zfs,
  zpool,
  sendmail,
  logger,
  'systemd-run': systemdRun,
  systemctl,
  journalctl,
};
