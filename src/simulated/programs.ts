/** Which host programs are simulated. A program without an entry is one that is not installed. */
import type { Program } from '../host/runner.ts';
import { getent, groupadd, pkill, useradd, userdel } from './accounts.ts';
import type { SimulatedProgram } from './answer.ts';
import { incus } from './incus.ts';
import { keyscan } from './keyscan.ts';

export const programs: Readonly<Partial<Record<Program, SimulatedProgram>>> = {
  incus,
  useradd,
  userdel,
  groupadd,
  getent,
  pkill,
  'ssh-keyscan': keyscan,
};
