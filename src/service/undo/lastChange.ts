/** Finds a person's own last change in the journal, and what came after it. */
import { z } from 'zod';
import { actorTitle, type Actor } from '../../domain/access/actor.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { JournalRecord } from '../../journal/chain.ts';
import { queryJournal } from '../../journal/query.ts';

/** A change that was made. */
export interface Change {
  readonly operation: string;
  readonly verb: string;
  readonly target: string;
  readonly at: string;
  readonly steps: readonly { readonly kind: string; readonly facts: JsonObject }[];
}

export interface LastChange {
  readonly change: Change;
  /** The first change of the same target after it, by anybody. */
  readonly later: { readonly verb: string; readonly actor: string; readonly at: string } | undefined;
  /** True if it took back an earlier one. A command that is repeated must not make the first change again. */
  readonly isUndo: boolean;
  /** The change that it took back, if it took back one. */
  readonly takenBack: Pick<Change, 'verb' | 'target'> | undefined;
  /** The person's own later changes that were passed over, the newest last. */
  readonly passed: readonly Pick<Change, 'verb' | 'target'>[];
}

/**
 * Changes that only add something, or leave the container as it is: they are passed over, because nothing of an earlier
 * change depends on them. What deletes or replaces something is never passed over.
 */
const passedOver: readonly string[] = [
  'backup create',
  'backup verify',
  'image build',
  'reconcile',
  'restart',
  'snapshot create',
];

/** Number of records examined: some thousand changes. An older change is not one that a person has in mind. */
const maxRecords = 20_000;

const begun = z.object({
  op: z.string(),
  verb: z.string(),
  target: z.string(),
  actor: z.object({ name: z.string(), entryPoint: z.string() }),
});
const call = z.object({
  verb: z.string(),
  actor: z.object({ name: z.string(), entryPoint: z.string() }),
  input: z.record(z.string(), z.json()),
});
const step = z.object({ op: z.string(), kind: z.string(), facts: z.record(z.string(), z.json()) });
const ended = z.object({ op: z.string(), outcome: z.string() });

/** Returns undefined if the person has changed nothing lately. */
export async function lastChange(folder: string, actor: Actor, signal: AbortSignal): Promise<LastChange | undefined> {
  const types = ['verb', 'operation', 'step', 'operation-end'];
  const records = await Array.fromAsync(queryJournal(folder, { types, limit: maxRecords }, signal));
  const made = new Set(
    records.flatMap((record) => {
      const end = record.type === 'operation-end' ? ended.safeParse(record).data : undefined;
      return end !== undefined && end.outcome !== 'undone' ? [end.op] : [];
    }),
  );
  const operations = records.flatMap((record) => {
    const operation = record.type === 'operation' ? begun.safeParse(record).data : undefined;
    // One that has not ended may have changed something.
    return operation === undefined ? [] : [{ ...operation, at: record.time }];
  });
  const mine = operations.filter((operation) => made.has(operation.op) && isBy(actor, operation.actor));
  const isPassed = ({ verb }: Pick<Change, 'verb'>): boolean => passedOver.includes(verb);
  const at = mine.findLastIndex((operation) => !isPassed(operation));
  const own = mine[at];
  if (own === undefined) return undefined;
  const undone = new Set(
    records.flatMap((record) => {
      const end = record.type === 'operation-end' ? ended.safeParse(record).data : undefined;
      return end?.outcome === 'undone' ? [end.op] : [];
    }),
  );
  const after = operations
    .slice(operations.indexOf(own) + 1)
    .find((operation) => operation.target === own.target && !undone.has(operation.op) && !isPassed(operation));
  const isBack = isUndo(records, own.op, actor);
  return {
    change: { operation: own.op, verb: own.verb, target: own.target, at: own.at, steps: stepsOf(records, own.op) },
    later: after === undefined ? undefined : { verb: after.verb, actor: actorTitle(after.actor), at: after.at },
    isUndo: isBack,
    takenBack: isBack ? mine.slice(0, at).findLast((operation) => !isPassed(operation)) : undefined,
    passed: mine.slice(at + 1),
  };
}

/** Reports whether the call that made an operation, the person's last one before it, was `undo --yes`. */
function isUndo(records: readonly JournalRecord[], operation: string, actor: Actor): boolean {
  const begin = records.findIndex((record) => record.type === 'operation' && record['op'] === operation);
  const calls = records.slice(0, begin).flatMap((record) => {
    const found = record.type === 'verb' ? call.safeParse(record).data : undefined;
    return found !== undefined && isBy(actor, found.actor) ? [found] : [];
  });
  const last = calls.at(-1);
  return last?.verb === 'undo' && last.input['yes'] === true;
}

function stepsOf(records: readonly JournalRecord[], operation: string): Change['steps'] {
  return records.flatMap((record) => {
    const found = record.type === 'step' ? step.safeParse(record).data : undefined;
    return found?.op === operation ? [{ kind: found.kind, facts: found.facts }] : [];
  });
}

/** An owner and an admin may have the same name. */
function isBy({ name, entryPoint }: Actor, by: { readonly name: string; readonly entryPoint: string }): boolean {
  return by.name === name && (by.entryPoint === 'self') === (entryPoint === 'self');
}
