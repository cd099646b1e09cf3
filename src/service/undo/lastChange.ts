/** Finds a person's own last change in the journal, and what came after it. */
import * as z from 'zod';
import { actorTitle, type Actor } from '../../domain/access/actor.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { JournalRecord } from '../../journal/chain.ts';
import { queryJournal, type JournalFilter } from '../../journal/query.ts';

/** A change that was made. */
export interface Change {
  /** The id of its operation, or of its call if it made none. */
  readonly operation: string;
  readonly verb: string;
  /** Empty if the verb has none. */
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

/**
 * Verbs that change something without an operation, so the journal has only their calls. Nothing takes them back.
 * `session kick` is one: who was sent away has lost what they were doing. A run of the schedule is none, because it
 * does what the server does by itself.
 */
export const verbsWithoutOperation: readonly string[] = [
  'admin add',
  'admin invite',
  'admin remove',
  'admin role',
  'backup rebuild',
  'ban add',
  'ban lift',
  'ca add',
  'ca remove',
  'ca revoke',
  'cert generate',
  'cert generate-with-ca',
  'cert issue',
  'cert renew',
  'cert revoke',
  'host-key rotate',
  'host-key switch',
  'invite cancel',
  'key invite',
  'keys add',
  'keys invite',
  'session kick',
];

/** How far back the search goes, in milliseconds. An older change is not one that a person has in mind. */
const lookBackMs = 30 * 24 * 60 * 60 * 1000;
/** Number and size of the records that one search keeps: some thousand changes. */
const maxRecords = 20_000;
const maxBytes = 8 * 1024 * 1024;

const actorIn = z.object({ name: z.string(), entryPoint: z.string() });
const begun = z.object({ op: z.string(), verb: z.string(), target: z.string(), actor: actorIn });
const outcome = z.object({
  call: z.string(),
  verb: z.enum(verbsWithoutOperation),
  target: z.string().default(''),
  actor: actorIn,
  outcome: z.literal('ok'),
});
const call = z.object({ verb: z.string(), actor: actorIn, input: z.record(z.string(), z.json()) });
const step = z.object({ op: z.string(), kind: z.string(), facts: z.record(z.string(), z.json()) });
const ended = z.object({ op: z.string(), outcome: z.string() });

type Begun = z.output<typeof begun> & { readonly at: string };

/** A change of a person's own, in the order in which they were made. */
type Own = Begun & { readonly isOperation: boolean };

/** Where and until when to search. */
export interface Search {
  readonly folder: string;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** Returns undefined if the person has changed nothing lately. */
export async function lastChange(search: Search, actor: Actor): Promise<LastChange | undefined> {
  const person = personIn(actor);
  if (person === undefined) return undefined;
  const types = ['verb', 'outcome', 'operation', 'operation-end'];
  const records = (await find(search, { ...person, types })).filter((record) => isAtEntryPoint(record, actor));
  const mine = changesIn(records, actor);
  const at = mine.findLastIndex((operation) => !isPassed(operation));
  const own = mine[at];
  if (own === undefined) return undefined;
  const change = { operation: own.op, verb: own.verb, target: own.target, at: own.at };
  const passed = mine.slice(at + 1);
  if (!own.isOperation)
    return { change: { ...change, steps: [] }, later: undefined, isUndo: false, takenBack: undefined, passed };
  const ofTarget = await find(search, { targets: [own.target], types: ['operation', 'step', 'operation-end'] });
  const undone = endsIn(ofTarget, (outcome) => outcome === 'undone');
  const operations = operationsIn(ofTarget);
  // If the change itself was left out for the size, all that was found came after it.
  const after = operations
    .slice(operations.findIndex(({ op }) => op === own.op) + 1)
    .find((operation) => !undone.has(operation.op) && !isPassed(operation));
  const isBack = isUndo(records, own.op);
  return {
    change: { ...change, steps: stepsOf(ofTarget, own.op) },
    later: after === undefined ? undefined : { verb: after.verb, actor: actorTitle(after.actor), at: after.at },
    isUndo: isBack,
    takenBack: isBack ? mine.slice(0, at).findLast((operation) => !isPassed(operation)) : undefined,
    passed,
  };
}

/**
 * Returns what tells a person's records from those of others. An admin has a name. A login at self@ has the name of its
 * key's oldest container, which keys of other people may open too, so there the key is the person. A certificate is
 * recorded with the key that it certifies.
 */
function personIn({ entryPoint, name, fingerprint }: Actor): Pick<JournalFilter, 'actor' | 'fingerprint'> | undefined {
  if (entryPoint !== 'self') return { actor: name };
  return fingerprint === undefined ? undefined : { fingerprint };
}

/** An owner and an admin may have the same name, and one person may use one key as both. */
function isAtEntryPoint(record: JournalRecord, { entryPoint }: Actor): boolean {
  const by = actorIn.safeParse(record['actor']).data;
  return by !== undefined && (by.entryPoint === 'self') === (entryPoint === 'self');
}

function find({ folder, now, signal }: Search, filter: JournalFilter): Promise<JournalRecord[]> {
  const since = new Date(now.getTime() - lookBackMs);
  return Array.fromAsync(queryJournal(folder, { ...filter, since, limit: maxRecords, maxBytes }, signal));
}

function isPassed({ verb }: Pick<Change, 'verb'>): boolean {
  return passedOver.includes(verb);
}

/** Returns what a person has changed, of what is in reach of this login. */
function changesIn(records: readonly JournalRecord[], { entryPoint, owns }: Actor): Own[] {
  const made = endsIn(records, (end) => end !== 'undone');
  return (
    records
      .flatMap((record): Own[] => {
        const [operation] = operationsIn([record]);
        if (operation !== undefined) return made.has(operation.op) ? [{ ...operation, isOperation: true }] : [];
        const done = record.type === 'outcome' ? outcome.safeParse(record).data : undefined;
        return done === undefined ? [] : [{ ...done, op: done.call, at: record.time, isOperation: false }];
      })
      // At self@ the key may have lost a container since.
      .filter(({ target }) => entryPoint !== 'self' || owns?.includes(target) === true)
  );
}

/** Returns the operations that began, also those that have not ended: one of them may have changed something. */
function operationsIn(records: readonly JournalRecord[]): Begun[] {
  return records.flatMap((record) => {
    const operation = record.type === 'operation' ? begun.safeParse(record).data : undefined;
    return operation === undefined ? [] : [{ ...operation, at: record.time }];
  });
}

/** Returns the ids of the operations that ended so. */
function endsIn(records: readonly JournalRecord[], isMeant: (outcome: string) => boolean): ReadonlySet<string> {
  return new Set(
    records.flatMap((record) => {
      const end = record.type === 'operation-end' ? ended.safeParse(record).data : undefined;
      return end !== undefined && isMeant(end.outcome) ? [end.op] : [];
    }),
  );
}

/** Reports whether the call that made an operation, the person's last one before it, was `undo --yes`. */
function isUndo(records: readonly JournalRecord[], operation: string): boolean {
  const begin = records.findIndex((record) => record.type === 'operation' && record['op'] === operation);
  const last = records.slice(0, begin).findLast(({ type }) => type === 'verb');
  const made = call.safeParse(last).data;
  return made?.verb === 'undo' && made.input['yes'] === true;
}

function stepsOf(records: readonly JournalRecord[], operation: string): Change['steps'] {
  return records.flatMap((record) => {
    const found = record.type === 'step' ? step.safeParse(record).data : undefined;
    return found?.op === operation ? [{ kind: found.kind, facts: found.facts }] : [];
  });
}
