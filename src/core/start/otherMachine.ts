/**
 * Notices at a start that the home has come to another machine, as with a data disk whose machine was replaced. Incus
 * has the containers again, but accounts and keys are those of the new machine: they are made again from Incus.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pRetry from 'p-retry';
import writeFileAtomic from 'write-file-atomic';
import type { Logger } from 'pino';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { plural } from '../../domain/text.ts';
import type { Journal } from '../../journal/journal.ts';
import { openState } from '../../journal/jsonState.ts';
import type { ServiceContext } from '../../service/context.ts';
import { schedule } from '../../service/instances/schedule.ts';
import { jobCall } from '../../service/jobs/job.ts';
import { reconcile } from '../../service/reconcile.ts';

/** How long Incus may take until it answers after a boot, in milliseconds. */
const patienceMs = 15 * 60_000;

const schema = z.object({ machine: z.string().nullable() });

/** The parts of core that a move concerns. */
interface Moved {
  readonly service: ServiceContext;
  readonly journal: Journal;
}

/** Files on the machine's own disk that tell it from others. */
interface MachineFiles {
  /** Its id, as systemd has it (machine-id(5)). Machines that were made from one image may share it. */
  readonly machineId: string;
  /** An id of our own, which is made where it is missing. */
  readonly ownId: string;
}

const thisMachine: MachineFiles = { machineId: '/etc/machine-id', ownId: '/etc/containarium.machine' };

/** Returns a name for this machine that does not disclose its id, which machine-id(5) asks to keep private. */
async function machineName({ machineId, ownId }: MachineFiles): Promise<string> {
  const id = (await readFile(machineId, 'utf8').catch(() => '')).trim();
  const own = await readFile(ownId, 'utf8').catch(async (error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    const made = `${randomUUID()}\n`;
    await writeFileAtomic(ownId, made, { mode: 0o644 });
    return made;
  });
  return createHash('sha256').update(`containarium ${id} ${own.trim()}`).digest('hex').slice(0, 16);
}

/**
 * Compares this machine with the one of the last start, which the file `statePath` names. On another one it makes
 * accounts and keys again, starts what should run, and records the move; until that has succeeded, each start tries
 * again. Never rejects.
 */
export async function followMoves(
  { service, journal }: Moved,
  statePath: string,
  log: Logger,
  machine: MachineFiles = thisMachine,
): Promise<void> {
  try {
    const state = await openState<z.infer<typeof schema>>(statePath, schema, { machine: null });
    const [from, to] = [state.data.machine, await machineName(machine)];
    if (from === to) return;
    if (from !== null) await follow({ service, journal }, from, to, log);
    state.data.machine = to;
    await state.write();
  } catch (error) {
    log.error({ why: Failure.from(error).message }, 'accounts and keys could not be made again on this machine');
  }
}

async function follow({ service, journal }: Moved, from: string, to: string, log: Logger): Promise<void> {
  const { differences } = await pRetry(() => reconcile(service, { apply: true }, jobCall({ apply: true })), {
    retries: Infinity,
    minTimeout: 1000,
    maxTimeout: 10_000,
    maxRetryTime: patienceMs,
  });
  const repaired = differences.filter(({ fixed }) => fixed).length;
  const left = differences.length - repaired;
  await journal.append({ type: 'moved', from, to, repaired, left });
  const rest = left === 0 ? '' : `, ${left} could not be; see "reconcile"`;
  service.room.say(
    schedule,
    `This server came to another machine: ${plural(repaired, 'difference')} between Incus and the host repaired${rest}.`,
    null,
  );
  log.info({ repaired, left }, 'the server came to another machine');
}
