/** The verbs about snapshots of a container. */
import * as z from 'zod';
import type {
  Snapshot,
  SnapshotCreated,
  SnapshotDeleted,
  SnapshotList,
  SnapshotRenamed,
  SnapshotRestored,
  SnapshotScheduled,
} from '../../domain/results/snapshots.ts';
import { isSnapshotName, parseNewSnapshotName, snapshotFrequencies } from '../../domain/values/snapshotName.ts';
import { parseSpan } from '../../domain/values/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { parsedBy, untilWhen, username } from '../declaration/schema.ts';
import { showSize, showTime } from '../declaration/show.ts';
import { defineVerb, type Argument } from '../declaration/verb.ts';
import type { Block, ViewContext } from '../declaration/view.ts';
import { changeEnds, endedConnections, noContainer, readEnds, userArgument, yesOption } from './shared.ts';

const ownerArgument: Argument = { ...userArgument, required: 'manage', optionAtSelf: true };

const snapshotArgument: Argument = {
  kind: 'argument',
  name: 'snapshot',
  summary: 'name of the snapshot',
  required: true,
  complete: 'snapshots',
};

const newSnapshot = parsedBy(parseNewSnapshotName);
const existingSnapshot = parsedBy((text) => {
  if (isSnapshotName(text)) return text;
  throw new Failure('not-found', {
    what: `snapshot ${quoted(text)}`,
    why: 'no snapshot has this name',
    next: 'see "snapshot list"',
  });
});
/** A duration, as it was typed. */
const span = parsedBy((text) => (parseSpan(text), text));

const ends = { ...changeEnds, notFound: 'the user has no container, or it has no such snapshot' } as const;
const confirmed = {
  yes: z.boolean().optional(),
  confirm: z.string().max(64).optional(),
};

const origins: Readonly<Record<Snapshot['origin'], string>> = {
  manual: 'an admin',
  owner: 'its owner',
  scheduled: 'the schedule',
  restore: 'a restore',
};

function scheduleText(schedule: SnapshotList['schedule']): string {
  if (schedule === null) return 'never';
  return schedule.keep === null ? schedule.every : `${schedule.every}, kept ${schedule.keep}`;
}

function snapshotTable(snapshots: readonly Snapshot[], context: ViewContext): Block {
  return {
    kind: 'table',
    noun: 'Snapshot',
    columns: [
      { title: 'NAME', priority: 1 },
      { title: 'CREATED', priority: 2 },
      { title: 'HOLDS', priority: 3, align: 'right' },
      { title: 'MADE BY', priority: 5 },
      { title: 'EXPIRES', priority: 4 },
    ],
    rows: snapshots.map((one) => [
      one.name,
      showTime(one.createdAt, context),
      showSize(one.sizeBytes),
      origins[one.origin],
      one.expiresAt === null ? 'never' : showTime(one.expiresAt, context),
    ]),
    empty: 'No snapshots',
  };
}

export const snapshotCreate = defineVerb({
  name: 'snapshot create',
  summary: 'Keep the present files of a container',
  description: [
    'The container runs on. A snapshot holds what the container changes or deletes later, so it costs nothing at first. Without --expires it is kept until it is deleted.',
    'At self@ the name gets "own-" before it, and the number of snapshots is limited (`snapshots.own`).',
  ],
  examples: [
    { line: 'snapshot create alice', says: 'named after the time' },
    { line: 'snapshot create alice before-upgrade --expires 14d', says: 'with a name, deleted after two weeks' },
  ],
  access: { manage: 'operator', self: true },
  changes: true,
  danger: 'none',
  target: 'user',
  form: {},
  parameters: [
    ownerArgument,
    {
      kind: 'argument',
      name: 'name',
      summary: 'name of the new snapshot (default: the time)',
      required: false,
      isNew: true,
    },
    {
      kind: 'option',
      name: 'expires',
      long: ['expires'],
      value: 'when',
      summary: 'delete it then: a duration such as 14d, or a time',
    },
  ],
  input: () =>
    z.strictObject({ user: username.optional(), name: newSnapshot.optional(), expires: untilWhen.optional() }),
  ends: {
    ...changeEnds,
    notFound: noContainer,
    conflict: `the container has a snapshot of this name, at self@ it has as many as are allowed, or ${changeEnds.conflict}`,
  },
  view: ({ container, snapshot }: SnapshotCreated) => [
    { kind: 'text', tone: 'good', text: `${container}: snapshot ${snapshot.name} made` },
  ],
  copy: ({ snapshot }) => snapshot.name,
});

export const snapshotList = defineVerb({
  name: 'snapshot list',
  aliases: ['snapshot ls'],
  summary: 'List the snapshots of a container, the newest first',
  description: ['HOLDS is the space that only this snapshot needs: what comes free when it is deleted.'],
  examples: [{ line: 'snapshot list alice', says: 'names, ages and sizes' }],
  access: { manage: 'viewer', self: true },
  changes: false,
  danger: 'none',
  target: 'user',
  parameters: [ownerArgument],
  input: () => z.strictObject({ user: username.optional() }),
  ends: { ...readEnds, notFound: noContainer },
  view: (result: SnapshotList, context) => [
    snapshotTable(result.snapshots, context),
    { kind: 'text', tone: 'quiet', text: `By schedule: ${scheduleText(result.schedule)}` },
  ],
  rows: ({ snapshots }) => ({
    columns: ['name', 'origin', 'created_at', 'expires_at', 'size_bytes'],
    rows: snapshots.map((one) => [one.name, one.origin, one.createdAt, one.expiresAt, one.sizeBytes]),
  }),
});

export const snapshotRestore = defineVerb({
  name: 'snapshot restore',
  summary: 'Give a container the files of a snapshot',
  description: [
    'The present files are kept in a snapshot of their own, whose name begins with "before-restore-" (`snapshots.keepBeforeRestore`): restoring that one takes this back. Keys, limits and labels stay as they are now. A running container is restarted, and the connections of its user end.',
  ],
  examples: [
    {
      line: 'snapshot restore alice before-upgrade --yes',
      says: 'her files from that time; the present ones are kept',
    },
  ],
  access: { manage: 'operator', self: true },
  changes: true,
  danger: 'type-name',
  isCancellable: true,
  confirmation: {
    property: 'snapshot',
    warning: () => 'Its present files are kept in another snapshot, and a running container is restarted.',
  },
  target: 'user',
  parameters: [ownerArgument, snapshotArgument, yesOption],
  input: () => z.strictObject({ user: username.optional(), snapshot: existingSnapshot, ...confirmed }),
  ends: {
    ...ends,
    cancelled: 'the restore was not confirmed, or was cancelled; nothing was changed, or it was undone',
  },
  view: (result: SnapshotRestored) => [
    {
      kind: 'text',
      tone: 'good',
      text: `${result.container}: restored ${result.restored}; the files before are in ${result.before}`,
    },
    ...endedConnections(result.user, result.connectionsEnded),
  ],
});

export const snapshotDelete = defineVerb({
  name: 'snapshot delete',
  aliases: ['snapshot rm'],
  summary: 'Delete a snapshot',
  description: ['At self@ one can delete the snapshots that one has made there.'],
  examples: [{ line: 'snapshot delete alice before-upgrade --yes', says: 'and the space that only it holds is free' }],
  access: { manage: 'operator', self: true },
  changes: true,
  danger: 'type-name',
  confirmation: { property: 'snapshot', warning: () => 'This cannot be undone.' },
  target: 'user',
  parameters: [ownerArgument, snapshotArgument, yesOption],
  input: () => z.strictObject({ user: username.optional(), snapshot: existingSnapshot, ...confirmed }),
  ends: { ...ends, cancelled: 'the deletion was not confirmed; nothing was changed' },
  view: (result: SnapshotDeleted) => [
    { kind: 'text', tone: 'good', text: `${result.container}: snapshot ${result.name} deleted` },
  ],
});

export const snapshotRename = defineVerb({
  name: 'snapshot rename',
  summary: 'Rename a snapshot',
  description: [
    'The beginning of a name tells what made the snapshot: "auto-" the schedule, "own-" the owner. Under another name it counts as made by an admin; it expires as before.',
  ],
  examples: [{ line: 'snapshot rename alice auto-20261129-000312 last-good', says: 'a name that one remembers' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'user',
  parameters: [
    userArgument,
    snapshotArgument,
    { kind: 'argument', name: 'to', summary: 'the new name', required: true, isNew: true },
  ],
  input: () => z.strictObject({ user: username, snapshot: existingSnapshot, to: newSnapshot }),
  ends: { ...ends, conflict: `the container has a snapshot of the new name, or ${changeEnds.conflict}` },
  view: (result: SnapshotRenamed) => [
    { kind: 'text', tone: 'good', text: `${result.container}: snapshot ${result.from} is now ${result.to}` },
  ],
});

export const snapshotSchedule = defineVerb({
  name: 'snapshot schedule',
  summary: 'Choose how often snapshots are made, and how long they are kept',
  description: [
    'Incus makes them while the container runs, and deletes them when they are too old; it needs this server for neither. Without a choice of its own, a container follows the settings (`snapshots.every`, `snapshots.keep`). If the pool runs low and purging the trash is not enough, this server deletes the oldest scheduled ones earlier, but never the newest of a container (`trash.minFreePercent`).',
  ],
  examples: [
    { line: 'snapshot schedule alice hourly --keep 7d', says: 'more often than the others' },
    { line: 'snapshot schedule alice default', says: 'as the settings say, from now on' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'user',
  form: {},
  parameters: [
    userArgument,
    {
      kind: 'argument',
      name: 'every',
      summary: [...snapshotFrequencies, 'default'].join(', '),
      required: true,
    },
    {
      kind: 'option',
      name: 'keep',
      long: ['keep'],
      value: 'duration',
      summary: 'how long each is kept: 7d, 4w (default: as before)',
    },
  ],
  input: () =>
    z
      .strictObject({
        user: username,
        every: z.enum([...snapshotFrequencies, 'default']),
        keep: span.optional(),
      })
      .refine(({ every, keep }) => keep === undefined || (every !== 'default' && every !== 'never'), {
        message: '--keep cannot be combined with "default", which follows the settings, or "never", which makes none',
      }),
  ends: { ...changeEnds, notFound: noContainer },
  view: (result: SnapshotScheduled) => [
    {
      kind: 'text',
      tone: 'good',
      text: `${result.container}: snapshots ${scheduleText(result.schedule)}${result.isDefault ? ', as the settings say' : ''}`,
    },
  ],
});
