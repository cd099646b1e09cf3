/** What takes back a change: another call, made from what the journal keeps of the first. */
import * as z from 'zod';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { formatExact, parseIncusSize } from '../../domain/values/size.ts';
import { snapshotFrequencies } from '../../domain/values/snapshotName.ts';
import { parseName, type Username } from '../../domain/values/username.ts';
import { deleteContainer } from '../delete.ts';
import type { Call, HostContext } from '../instances/context.ts';
import { decodeKeys, field, labelOfKey } from '../instances/metadata.ts';
import { targetContainer } from '../instances/target.ts';
import { restoreKeys } from '../keys.ts';
import { changeLabels } from '../labels.ts';
import { startContainer, stopContainer } from '../power.ts';
import { protectContainer, unprotectContainer } from '../protect.ts';
import { resizeContainer, type ResizeRequest } from '../resize.ts';
import { renameSnapshot, scheduleSnapshots } from '../snapshots.ts';
import { restoreFromTrash } from '../trash.ts';
import { clearTtl, setTtl } from '../ttl.ts';
import type { Change } from './lastChange.ts';

export interface Inverse {
  /** The verb whose change this is. */
  readonly verb: string;
  /** A command, or a clause where no command does it. */
  readonly text: string;
  readonly run: (context: HostContext, call: Call) => Promise<unknown>;
}

type Config = Readonly<Record<string, string>>;
type Inverter = (change: Change, user: Username) => Inverse | undefined;

const previousSchema = z.object({
  config: z.record(z.string(), z.string()).default({}),
  devices: z.record(z.string(), z.record(z.string(), z.string())).default({}),
});

/** The kinds of steps that note which configuration of the instance they replaced. */
const patches = ['patch-instance', 'revoke-keys'];

/** Returns what the change's first patch of the instance replaced. */
function previous(change: Change): z.output<typeof previousSchema> {
  const facts = change.steps.find(({ kind }) => patches.includes(kind))?.facts;
  const text = facts?.['previous'];
  const parsed = previousSchema.safeParse(typeof text === 'string' ? JSON.parse(text) : undefined);
  if (parsed.success) return parsed.data;
  throw new Failure('unexpected-output', { what: `operation ${change.operation}`, why: 'its record cannot be read' });
}

const protection = (text: 'protect' | 'unprotect'): Inverter => {
  const run = text === 'protect' ? protectContainer : unprotectContainer;
  return (_change, user) => ({
    verb: text,
    text: `${text} ${user}`,
    run: (context, call) => run(context, { user }, call),
  });
};

const keys: Inverter = (change, user) => {
  const before = decodeKeys(previous(change).config[field.keys]);
  return {
    verb: 'key replace',
    text: `give ${user} back the ${before.length === 1 ? 'key' : `${before.length} keys`} from before`,
    run: (context, call) => restoreKeys(context, user, before, call),
  };
};

const ttl: Inverter = (change, user) => {
  const when = previous(change).config[field.expires] ?? '';
  return when === ''
    ? { verb: 'ttl clear', text: `ttl clear ${user}`, run: (context, call) => clearTtl(context, { user }, call) }
    : {
        verb: 'ttl set',
        text: `ttl set ${user} ${when}`,
        run: (context, call) => setTtl(context, { user, when }, call),
      };
};

const labels: Inverter = (change, user) => {
  const wanted = new Map(Object.entries(previous(change).config).map(([key, value]) => [labelOfKey(key), value]));
  const old = [...wanted].flatMap(([key, value]) => (value === '' ? [] : [`${key}=${value}`]));
  const added = [...wanted].flatMap(([key, value]) => (value === '' ? [key] : []));
  const words = [
    ...(old.length === 0 ? [] : [`label set ${user} ${old.join(' ')}`]),
    ...(added.length === 0 ? [] : [`label remove ${user} ${added.join(' ')}`]),
  ];
  return {
    verb: 'label set',
    text: words.join(', '),
    run: (context, call) => changeLabels(context, 'label set', user, wanted, call),
  };
};

/** Undefined for a change without an inverse. */
const inverters: Readonly<Record<string, Inverter>> = {
  resize(change, user) {
    const request = sizesOf(previous(change));
    if (request === undefined) return undefined;
    const { cpu, memory, disk, processes } = request;
    const words = [
      ...(cpu === undefined ? [] : [`--cpu ${cpu}`]),
      ...(memory === undefined ? [] : [`--memory ${formatExact(memory)}`]),
      ...(disk === undefined ? [] : [`--disk-quota ${formatExact(disk)}`]),
      ...(processes === undefined ? [] : [`--processes ${processes}`]),
    ];
    return {
      verb: 'resize',
      text: ['resize', user, ...words].join(' '),
      run: (context, call) => resizeContainer(context, { user, ...request }, call),
    };
  },
  start: (_change, user) => ({
    verb: 'stop',
    text: `stop ${user}`,
    run: (context, call) => stopContainer(context, { user }, call),
  }),
  stop: (_change, user) => ({
    verb: 'start',
    text: `start ${user}`,
    run: (context, call) => startContainer(context, { user }, call),
  }),
  delete(change, user) {
    const name = change.steps.find(({ kind }) => kind === 'rename-instance')?.facts['to'];
    if (typeof name !== 'string') return undefined;
    return {
      verb: 'trash restore',
      text: `trash restore ${user} ${name}`,
      run: (context, call) => restoreFromTrash(context, { user, name }, { ...call, recorded: { name } }),
    };
  },
  'trash restore': (_change, user) => ({
    verb: 'delete',
    text: `delete ${user}`,
    run: (context, call) => deleteContainer(context, { user }, call),
  }),
  protect: protection('unprotect'),
  unprotect: protection('protect'),
  'ttl set': ttl,
  'ttl clear': ttl,
  'label set': labels,
  'label remove': labels,
  'key add': keys,
  'key remove': keys,
  'key replace': keys,
  'snapshot rename'(change, user) {
    const { snapshot: to, to: snapshot } = change.steps.find(({ kind }) => kind === 'rename-snapshot')?.facts ?? {};
    if (typeof to !== 'string' || typeof snapshot !== 'string') return undefined;
    return {
      verb: 'snapshot rename',
      text: `snapshot rename ${user} ${snapshot} ${to}`,
      run: (context, call) => renameSnapshot(context, { user, snapshot, to }, { ...call, recorded: { snapshot, to } }),
    };
  },
  'snapshot schedule'(change, user) {
    const [word = '', keep] = (previous(change).config[field.snapshots] ?? '').split(' ');
    const every = snapshotFrequencies.find((one) => one === word) ?? ('default' as const);
    const request: Parameters<typeof scheduleSnapshots>[1] = { user, every, ...(keep === undefined ? {} : { keep }) };
    const shown = keep === undefined || every === 'default' || every === 'never' ? [] : ['--keep', keep];
    return {
      verb: 'snapshot schedule',
      text: ['snapshot schedule', user, every, ...shown].join(' '),
      run: (context, call) => scheduleSnapshots(context, request, { ...call, recorded: { every } }),
    };
  },
};

/** Changes with another way back, and that way. */
const otherWays: Readonly<Record<string, (target: string) => string>> = {
  create: (user) => `"delete ${user}" moves the new container to the trash`,
  'keys add': () => '"keys list" shows the invitation, and "keys remove" takes its id',
  'keys invite': () => '"keys list" shows the invitation, and "keys remove" takes its id',
  'ban add': (network) => `"ban lift ${network}" lifts the ban`,
  'snapshot restore': (user) => `restore the snapshot of the files before it: see "snapshot list ${user}"`,
};

/** Returns what takes the change back. Throws `wrong-state` if nothing does, and at self@ as `ownContainer` does. */
export function inverseOf(change: Change, actor: Actor): Inverse {
  const { verb, target } = change;
  const inverter = inverters[verb];
  const inverse =
    inverter === undefined ? undefined : inverter(change, targetContainer('undo', parseName(target), actor));
  if (inverse !== undefined) return inverse;
  throw new Failure('wrong-state', {
    what: quoted(`${verb} ${target}`.trimEnd()),
    why: 'your last change is one that "undo" cannot take back',
    next: otherWays[verb]?.(target) ?? '"audit" shows what you have changed',
  });
}

/** Returns the sizes before a resize; undefined if one of them was not limited. */
function sizesOf({
  config,
  devices,
}: {
  config: Config;
  devices: Readonly<Record<string, Config>>;
}): Omit<ResizeRequest, 'user'> | undefined {
  const memory = parseIncusSize(config['limits.memory'] ?? '');
  const disks = Object.values(devices).map(({ size = '' }) => parseIncusSize(size));
  const isWhole =
    config['limits.cpu'] !== '' &&
    config['limits.processes'] !== '' &&
    (config['limits.memory'] === undefined || memory !== undefined) &&
    !disks.includes(undefined);
  if (!isWhole) return undefined;
  return {
    ...(config['limits.cpu'] === undefined ? {} : { cpu: Number(config['limits.cpu']) }),
    ...(memory === undefined ? {} : { memory }),
    ...(disks[0] === undefined ? {} : { disk: disks[0] }),
    ...(config['limits.processes'] === undefined ? {} : { processes: Number(config['limits.processes']) }),
  };
}
