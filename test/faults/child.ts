/**
 * Core's parts in a process of their own, for tests that kill it: opens a world, ends what is left open if told to,
 * calls a verb if told to, and prints the answer as one line of JSON.
 */
import type { FaultPlan } from '../../src/simulated/faults/faults.ts';
import { World } from './world.ts';

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
