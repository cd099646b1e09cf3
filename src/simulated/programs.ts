/** The simulated host programs. A program without an entry counts as not installed. */
import type { Program } from '../host/runner.ts';
import { getent, groupadd, pkill, useradd, userdel } from './accounts/accounts.ts';
import type { SimulatedProgram } from './program/answer.ts';
import { incus } from './incus/incus.ts';
import { keyscan } from './inside/keyscan.ts';
import { ip } from './network/ip.ts';
import { nft } from './network/nft.ts';

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
};
