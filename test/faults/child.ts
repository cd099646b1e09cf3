/**
 * The parts of core in a process that tests can kill: opens a world, recovers its operations and calls a verb if asked
 * to, and prints the outcome as one line of JSON.
 */
import type { FaultPlan } from '../../src/simulated/faults/faults.ts';
import { World } from '../support/world/world.ts';

export interface Errand {
  readonly folder: string;
  readonly faults: FaultPlan;
  readonly recover?: boolean;
  readonly verb?: string;
  readonly input?: Readonly<Record<string, unknown>>;
}

const errand = JSON.parse(process.argv[2] ?? '{}') as Errand;
const world = await World.open(errand.folder, { faults: errand.faults });
if (errand.recover === true) await world.recover();
const outcome = errand.verb === undefined ? { ok: true } : await world.call(errand.verb, errand.input);
await world.close();
process.stdout.write(`${JSON.stringify(outcome)}\n`);
