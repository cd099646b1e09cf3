/** The verbs that change the host, each with the world that it starts from and the answer to a second call. */
import type { LoggedCommand } from '../../src/simulated/faults/commandLog.ts';
import type { HostState } from '../../src/simulated/state/state.ts';
import { nameBackup } from '../support/backups.ts';
import { newKey } from '../support/world/keys.ts';
import { backupsPath, type World } from '../support/world/world.ts';

export type WorldName =
  | 'empty'
  | 'image'
  | 'people'
  | 'stopped'
  | 'laptop'
  | 'snapshot'
  | 'zfs'
  | 'backup'
  | 'gone'
  | 'sent'
  | 'sentGone'
  | 'trash'
  | 'drift';

export interface Scenario {
  readonly name: string;
  readonly from: WorldName;
  readonly verb: string;
  readonly input: Readonly<Record<string, unknown>>;
  /**
   * The answer to the same call after it has succeeded: `ok` or a failure code. The host must not change again. Null if
   * the second call does something else.
   */
  readonly again: string | null;
  /** Selects the commands that are tried with every fault. Others, which another scenario covers, get one fault. */
  readonly closely?: (command: LoggedCommand) => boolean;
  /** Selects the commands without which the verb succeeds: `reconcile` finds and repairs what they have not done. */
  readonly told?: (command: LoggedCommand) => boolean;
  /** Verbs that lead, one after the other, to valid states between "before" and "after". */
  readonly between?: readonly (readonly [verb: string, input: Readonly<Record<string, unknown>>])[];
}

const keys = {
  alice: newKey('alice@desk').line,
  laptop: newKey('alice@laptop').line,
  bob: newKey('bob@desk').line,
} as const;

const alice = { user: 'alice' } as const;

/** The id of the backup in the world `backup`. */
const backupId = '20261129-120000-abcd';

/** The verbs of the client that Incus carries on with when the client is gone. */
const background = ['create', 'start', 'stop', 'restart', 'delete', 'publish', 'snapshot', 'rename', 'copy'];

export function isBackground({ program, args }: LoggedCommand): boolean {
  if (program === 'incus-streams') return args[0] === 'import';
  // A unit runs on without the client that started it.
  if (program === 'systemd-run') return true;
  return program === 'incus' && (background.includes(args[0] ?? '') || args.includes('POST'));
}

/** Selects the writing of a file in a container, which its root can prevent. */
function isInside({ program, args }: LoggedCommand): boolean {
  return program === 'incus' && args.includes('push');
}

/** Selects the commands of ZFS, and the empty instance that they fill. */
function isOfZfs({ program, args }: LoggedCommand): boolean {
  return ['zfs', 'systemd-run', 'systemctl'].includes(program) || args.includes('--empty');
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'create',
    from: 'image',
    verb: 'create',
    input: { ...alice, keys: keys.alice, labels: ['team=red'] },
    again: 'exists',
  },
  {
    name: 'the first create, which builds the image',
    from: 'empty',
    verb: 'create',
    input: { ...alice, keys: keys.alice },
    again: 'exists',
    between: [['image build', {}]],
    closely: () => false,
  },
  {
    name: 'delete',
    from: 'people',
    verb: 'delete',
    input: { ...alice, yes: true },
    again: 'not-found',
  },
  {
    name: 'delete of a stopped container',
    from: 'stopped',
    verb: 'delete',
    input: { ...alice, yes: true },
    again: 'not-found',
  },
  {
    name: 'delete of a container with earlier states',
    from: 'zfs',
    verb: 'delete',
    input: { ...alice, yes: true },
    again: 'not-found',
  },
  {
    name: 'delete --purge',
    from: 'people',
    verb: 'delete',
    input: { ...alice, purge: true, yes: true },
    again: 'not-found',
  },
  {
    name: 'delete --purge of a stopped container',
    from: 'stopped',
    verb: 'delete',
    input: { ...alice, purge: true, yes: true },
    again: 'not-found',
  },
  { name: 'trash restore', from: 'trash', verb: 'trash restore', input: alice, again: 'not-found' },
  {
    name: 'trash purge',
    from: 'trash',
    verb: 'trash purge',
    input: { ...alice, yes: true },
    again: 'not-found',
  },
  { name: 'undo of a delete', from: 'trash', verb: 'undo', input: { yes: true }, again: 'wrong-state' },
  { name: 'label set', from: 'people', verb: 'label set', input: { ...alice, labels: ['team=blue'] }, again: 'ok' },
  { name: 'ttl set', from: 'people', verb: 'ttl set', input: { ...alice, when: '2099-01-01' }, again: 'ok' },
  {
    name: 'resize',
    from: 'people',
    verb: 'resize',
    input: { ...alice, cpu: '2', memory: '8GiB', disk: '20GiB' },
    again: 'ok',
  },
  { name: 'key add', from: 'people', verb: 'key add', input: { ...alice, keys: keys.laptop }, again: 'ok' },
  {
    name: 'key remove',
    from: 'laptop',
    verb: 'key remove',
    input: { ...alice, key: 'alice@laptop' },
    again: 'not-found',
    told: isInside,
  },
  {
    name: 'key replace',
    from: 'people',
    verb: 'key replace',
    input: { ...alice, keys: keys.laptop },
    again: 'ok',
    told: isInside,
  },
  { name: 'start', from: 'stopped', verb: 'start', input: alice, again: 'ok' },
  { name: 'stop', from: 'people', verb: 'stop', input: alice, again: 'ok' },
  { name: 'restart', from: 'people', verb: 'restart', input: alice, again: 'ok' },
  {
    name: 'snapshot create',
    from: 'people',
    verb: 'snapshot create',
    input: { ...alice, name: 'first' },
    again: 'exists',
  },
  {
    name: 'snapshot restore',
    from: 'snapshot',
    verb: 'snapshot restore',
    input: { ...alice, snapshot: 'first', yes: true },
    again: 'ok',
  },
  {
    name: 'snapshot restore on ZFS',
    from: 'zfs',
    verb: 'snapshot restore',
    input: { ...alice, snapshot: 'first', yes: true },
    again: 'ok',
  },
  {
    name: 'snapshot delete',
    from: 'snapshot',
    verb: 'snapshot delete',
    input: { ...alice, snapshot: 'first', yes: true },
    again: 'not-found',
  },
  {
    name: 'snapshot rename',
    from: 'snapshot',
    verb: 'snapshot rename',
    input: { ...alice, snapshot: 'first', to: 'second' },
    again: 'not-found',
  },
  {
    name: 'snapshot schedule',
    from: 'people',
    verb: 'snapshot schedule',
    input: { ...alice, every: 'hourly', keep: '2d' },
    again: 'ok',
  },
  { name: 'backup create', from: 'people', verb: 'backup create', input: alice, again: 'ok' },
  {
    name: 'backup verify',
    from: 'backup',
    verb: 'backup verify',
    input: { ...alice, backup: 'latest' },
    again: 'ok',
  },
  {
    name: 'backup restore',
    from: 'backup',
    verb: 'backup restore',
    input: { ...alice, backup: 'latest', yes: true },
    again: 'ok',
  },
  {
    name: 'backup restore of a container that is gone',
    from: 'gone',
    verb: 'backup restore',
    input: { ...alice, backup: 'latest', yes: true },
    again: null,
  },
  {
    name: 'backup create on ZFS, of what changed',
    from: 'sent',
    verb: 'backup create',
    input: alice,
    again: 'ok',
    closely: isOfZfs,
  },
  {
    name: 'backup verify on ZFS, of one that builds on another',
    from: 'sent',
    verb: 'backup verify',
    input: { ...alice, backup: 'latest' },
    again: 'ok',
    closely: isOfZfs,
  },
  {
    name: 'backup restore on ZFS, of one that builds on another',
    from: 'sent',
    verb: 'backup restore',
    input: { ...alice, backup: 'latest', yes: true },
    again: 'ok',
    closely: isOfZfs,
  },
  {
    name: 'backup restore on ZFS of a container that is gone',
    from: 'sentGone',
    verb: 'backup restore',
    input: { ...alice, backup: 'latest', yes: true },
    again: null,
    closely: isOfZfs,
  },
  {
    name: 'backup delete',
    from: 'backup',
    verb: 'backup delete',
    input: { ...alice, backup: backupId, yes: true },
    again: 'not-found',
  },
  { name: 'protect', from: 'people', verb: 'protect', input: alice, again: 'ok' },
  { name: 'image build', from: 'empty', verb: 'image build', input: {}, again: 'ok' },
  {
    name: 'image build over an image',
    from: 'image',
    verb: 'image build',
    input: {},
    again: 'ok',
    closely: ({ args }) => args[0] === 'publish' || args[0] === 'delete',
  },
];

/** What is different on the host of a world from the start. */
export const hostOf: Readonly<Partial<Record<WorldName, (state: HostState) => void>>> = {
  zfs: onZfs,
};

/** What is different before a world is made. */
export const hostBefore: typeof hostOf = { sent: onZfs, sentGone: onZfs };

function onZfs({ pools }: HostState): void {
  for (const pool of pools) Object.assign(pool, { driver: 'zfs', config: { 'zfs.pool_name': 'default' } });
}

/** Functions that make each world from a new one. */
export const makers: Readonly<Record<WorldName, (world: World) => Promise<unknown>>> = {
  async empty(world) {
    // An unrelated account and group, so that the state file exists.
    await world.context.accounts.ensureGroup('other');
    await world.context.accounts.create({ name: 'dave', comment: 'Dave, not ours', group: 'other' });
  },
  async image(world) {
    await makers.empty(world);
    await world.must('image build');
    await world.must('create', { user: 'bob', keys: keys.bob });
  },
  async people(world) {
    await makers.image(world);
    await world.must('create', { ...alice, keys: keys.alice, labels: ['team=red'] });
  },
  async stopped(world) {
    await makers.people(world);
    await world.must('stop', alice);
  },
  async laptop(world) {
    await makers.people(world);
    await world.must('key add', { ...alice, keys: keys.laptop });
  },
  /** A snapshot with a key that has been removed since. */
  async snapshot(world) {
    await makers.laptop(world);
    await world.must('snapshot create', { ...alice, name: 'first' });
    await world.must('key remove', { ...alice, key: 'alice@laptop' });
  },
  async backup(world) {
    await makers.people(world);
    await world.must('backup create', alice);
    await nameBackup(backupsPath(world.folder), 'alice-container', backupId);
    await world.must('key replace', { ...alice, keys: keys.laptop });
    await world.context.incus.pushFile({
      instance: 'alice-container',
      path: '/home/alice/later',
      content: 'written after the backup',
      mode: '0644',
    });
  },
  async gone(world) {
    await makers.backup(world);
    await world.must('delete', { ...alice, yes: true });
  },
  /** Two backups on ZFS, of which the second builds on the first. */
  async sent(world) {
    await makers.people(world);
    for (const content of ['before the first', 'before the second']) {
      await world.context.incus.pushFile({
        instance: 'alice-container',
        path: '/home/alice/notes',
        content,
        mode: '0644',
      });
      // Two of the same second have no order.
      const at = new Date(`2026-11-29T12:00:0${content.endsWith('first') ? 0 : 1}Z`);
      Object.assign(world.context, { now: () => at });
      await world.must('backup create', alice);
    }
  },
  async sentGone(world) {
    await makers.sent(world);
    await world.must('delete', { ...alice, yes: true });
  },
  async zfs(world) {
    await makers.snapshot(world);
  },
  async trash(world) {
    await makers.people(world);
    await world.must('delete', { ...alice, yes: true });
  },
  /** Everything that `reconcile` can find and repair, and two things that it must not touch. */
  async drift(world) {
    await makers.people(world);
    await world.must('create', { user: 'erin', keys: keys.laptop });
    const { accounts, jumpKeys, incus } = world.context;
    await accounts.remove('alice');
    await jumpKeys.remove('alice');
    await jumpKeys.write('bob', 'something else\n');
    await incus.pushFile({
      instance: 'bob-container',
      path: '/etc/ssh/authorized_keys.d/bob',
      content: '',
      mode: '0644',
    });
    await jumpKeys.write('zoe', 'left over\n');
    await incus.delete('erin-container');
  },
};
