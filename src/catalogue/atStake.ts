/**
 * What a caller loses by confirming a call, for the question before it. It is read by another verb, so a target that
 * does not exist is refused before the question and not after it.
 */
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import type { BackupList } from '../domain/results/backups.ts';
import type { ContainerDetails } from '../domain/results/container.ts';
import type { SnapshotList } from '../domain/results/snapshots.ts';
import type { TrashList } from '../domain/results/trash.ts';
import { joinChoices, plural, quoted } from '../domain/text.ts';
import { latest } from '../domain/values/backupId.ts';
import { snapshotNamed } from '../domain/values/snapshotName.ts';
import { advisedFor } from './advice.ts';
import type { AnyVerb, VerbName } from './catalogue.ts';
import { showDate, showSize, showTime, showUse } from './declaration/show.ts';
import { targetOf } from './declaration/verb.ts';

export type Facts = readonly (readonly [label: string, value: string])[];
type Input = Readonly<Record<string, unknown>>;

export interface Stakes {
  /** The verb that reads what is at stake, and its input. */
  readonly verb: VerbName;
  readonly input: Input;
  /** Returns the facts from its result. Throws `not-found` if the target is not there, or `usage` if several are. */
  readonly facts: (result: unknown) => Facts;
}

/** Returns what to read before the question about a call; undefined for a verb about which nothing is known. */
function stakesOf(verb: Pick<AnyVerb, 'name' | 'target' | 'input'>, input: Input): Stakes | undefined {
  const user = targetOf(verb, input) ?? undefined;
  const ofUser = user === undefined ? {} : { user };
  const text = (name: string): string => (typeof input[name] === 'string' ? input[name] : '');
  switch (verb.name) {
    case 'delete':
      return {
        verb: 'info',
        input: ofUser,
        facts: (result) => [
          ...containerFacts(result, input['purge'] !== true),
          ...(input['backup'] === true ? [['Backup', 'one is made first'] as const] : []),
        ],
      };
    case 'snapshot delete':
    case 'snapshot restore':
      return {
        verb: 'snapshot list',
        input: ofUser,
        facts: (result) => snapshotFacts(result as SnapshotList, text('snapshot')),
      };
    case 'trash purge':
      return {
        verb: 'trash list',
        input: {},
        facts: (result) => trashFacts(result as TrashList, user ?? '', text('name')),
      };
    case 'backup delete':
    case 'backup restore':
      return {
        verb: 'backup list',
        input: ofUser,
        facts: (result) => backupFacts(result as BackupList, user ?? '', text('backup')),
      };
    default:
      return undefined;
  }
}

/**
 * Reads what a call would lose, with `read` for a call of another verb. Rejects if the target is not there, with a
 * next step for this caller.
 */
export async function readStakes(
  verb: AnyVerb,
  input: Input,
  actor: Actor,
  read: (verb: VerbName, input: Input) => Promise<unknown>,
): Promise<Facts> {
  const stakes = stakesOf(verb, input);
  if (stakes === undefined) return [];
  const result = await read(stakes.verb, stakes.input);
  try {
    return stakes.facts(result);
  } catch (error) {
    throw advisedFor(Failure.from(error), actor);
  }
}

const shown = () => ({ now: new Date(), terminal: true });

/** Returns the facts about a container that moves to the trash or is purged, from the result of `info`. */
export function containerFacts(result: unknown, isKept: boolean): Facts {
  const { container } = result as { container: ContainerDetails };
  const { snapshots } = container;
  return [
    ['Container', `${container.name} (${container.status})`],
    ['Disk used', showUse(container.diskUsedBytes, container.diskQuotaBytes)],
    ['Last login', container.lastLoginAt === null ? 'unknown' : showTime(container.lastLoginAt, shown())],
    ['Snapshots', snapshotsText(snapshots, isKept ? 'kept' : 'deleted')],
  ];
}

function snapshotsText(count: number, fate: 'kept' | 'deleted'): string {
  return count === 0 ? 'none' : `${plural(count, 'snapshot')}, ${fate} with the container`;
}

function snapshotFacts({ user, container, snapshots }: SnapshotList, wanted: string): Facts {
  const found = snapshotNamed(snapshots, wanted, user);
  return [
    ['Container', container],
    ['Snapshot', found.name],
    ['Made', `${showDate(found.createdAt)} (${showTime(found.createdAt, shown())})`],
    ['Holds', showSize(found.sizeBytes)],
  ];
}

function trashFacts({ trashed }: TrashList, user: string, name: string): Facts {
  const found = trashed.filter((one) => one.user === user && (name === '' || one.name === name));
  const [one, ...others] = found;
  if (one === undefined)
    throw new Failure('not-found', {
      what: name === '' ? `deleted container of ${quoted(user)}` : `deleted container ${quoted(name)}`,
      why: 'the trash does not have it',
      next: 'see "trash list"',
    });
  if (others.length > 0)
    throw new Failure('usage', {
      what: `deleted container of ${quoted(user)}`,
      why: `the trash has ${found.length}`,
      next: `name one: ${joinChoices(found.map((each) => each.name))}`,
    });
  return [
    ['Container', one.name],
    ['Deleted', `${showDate(one.deletedAt)} by ${one.deletedBy}`],
    ['Kept until', showDate(one.until)],
    ['Holds', showSize(one.diskUsedBytes)],
    ['Snapshots', snapshotsText(one.snapshots, 'deleted')],
  ];
}

function backupFacts({ backups }: BackupList, user: string, wanted: string): Facts {
  const own = backups.filter((one) => one.user === user);
  // The newest comes first.
  const found = wanted === latest ? own[0] : own.find(({ id }) => id === wanted);
  if (found === undefined)
    throw new Failure('not-found', {
      what: `backup ${quoted(wanted)} of ${quoted(user)}`,
      why: own.length === 0 ? 'there is no backup of this container' : 'no backup of this container has this id',
      next: `see "backup list ${user}"`,
    });
  const { id, container, backup, trouble, stores } = found;
  return [
    ['Container', container],
    ['Backup', `${id}${wanted === latest ? ' (the newest)' : ''}`],
    ...(trouble === null ? [] : [['State', `damaged: ${trouble}`] as const]),
    ...(backup === null
      ? []
      : [
          ['Made', `${showDate(backup.createdAt)} (${showTime(backup.createdAt, shown())})`] as const,
          ['Size', showSize(backup.storedBytes)] as const,
          ['Verified', backup.verifiedAt === null ? 'never' : showTime(backup.verifiedAt, shown())] as const,
        ]),
    ['Kept in', stores.join(', ')],
  ];
}
