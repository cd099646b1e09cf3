/**
 * Takes a guard away while an attack runs, to show that the attack works without it, and puts it back. A guard that is
 * not there yet changes nothing here: then the second half of a case fails.
 */
import { retriedOnBridge } from '../../../src/prepare/bridge.ts';
import { readFile, writeFile } from 'node:fs/promises';
import { run } from '../../../src/prepare/programs.ts';
import { eventually } from '../../support/server.ts';
import { instanceOf, portOf, reachesSsh, type House, type Tenant } from './house.ts';

/** The names and values of the product's guards. This is the only place that has them. */
const names = {
  /** The nftables table that drops frames whose source is not the container's, per bridge. */
  framesTable: (house: House) => ['bridge', `containarium_${house.host.incus.bridge}`] as const,
  /** The nftables table that keeps containers from the host and from networks that are closed to them. */
  doorsTable: (house: House) => ['inet', `containarium_${house.host.incus.bridge}`] as const,
  /** Configuration of an instance that separates it from others and limits it; it takes effect at a start. */
  isolation: ['security.idmap.isolated', 'security.guestapi'],
  /** Configuration of an instance that takes effect at once. */
  processes: ['limits.processes'],
  /** Configuration of the network against strangers' leases and answers about others. */
  network: ['raw.dnsmasq', 'dns.mode'],
};

/** Guards that {@link withoutGuard} can take away. */
export type Guard =
  /** What keeps the bridge from learning a neighbour's address from frames of another. */
  | 'frames'
  /** The table at the host's door. */
  | 'doors'
  /** User ids of its own for each container, and no guest API. Both containers restart. */
  | 'isolation'
  /** The limit of processes. */
  | 'processes'
  /** What the network refuses to strangers. */
  | 'network'
  /** Incus's own filter of source addresses at the attacker's port. */
  | 'addresses'
  /** The bridge's isolation of ports. */
  | 'ports';

type Restore = () => Promise<void>;

async function removeTable([family, table]: readonly [string, string]): Promise<Restore> {
  const { stdout, exitCode } = await run('nft', ['--stateless', 'list', 'table', family, table], { allowExit: 'any' });
  if (exitCode !== 0) return () => Promise.resolve();
  await run('nft', ['delete', 'table', family, table]);
  return async () => {
    await run('nft', ['-f', '-'], { input: stdout });
  };
}

/**
 * Lets the bridge learn from frames to the reserved addresses 01:80:c2:00:00:00 to 0f, which it handles before any
 * filter in the bridge's family except for the one of its input, and LLDP's before that one too.
 */
async function linkLocalLearning({ host }: House): Promise<Restore> {
  const path = `/sys/class/net/${host.incus.bridge}/bridge/no_linklocal_learn`;
  const before = await readFile(path, 'utf8');
  await writeFile(path, '0');
  return () => writeFile(path, before);
}

/** Unsets keys of an object of Incus; `kind` are the words of the command before its action. */
async function unset(
  { host }: House,
  kind: readonly string[],
  object: string,
  present: Readonly<Record<string, string>>,
  keys: readonly string[],
): Promise<Restore> {
  const before = keys.flatMap((key) => (present[key] === undefined ? [] : [[key, present[key]] as const]));
  for (const [key] of before) await retriedOnBridge(() => host.incus.incus([...kind, 'unset', object, key]));
  return async () => {
    if (before.length > 0)
      await retriedOnBridge(() =>
        host.incus.incus([...kind, 'set', object, ...before.map(([key, value]) => `${key}=${value}`)]),
      );
  };
}

async function restart(house: House, tenant: Tenant): Promise<void> {
  await house.host.incus.incus(['restart', '--force', tenant.instance]);
  await eventually(async () => ((await reachesSsh(tenant)) ? true : undefined), `${tenant.instance} answers`);
}

async function unsetOnInstances(house: House, keys: readonly string[], restarts: boolean): Promise<Restore> {
  const tenants = [house.alice, house.bob];
  const change = async (tenant: Tenant): Promise<Restore> => {
    const { config } = await instanceOf(house.host, tenant.instance);
    const back = await unset(house, ['config'], tenant.instance, config, keys);
    if (!restarts || !keys.some((key) => key in config)) return back;
    await restart(house, tenant);
    return async () => {
      await back();
      await restart(house, tenant);
    };
  };
  const all = await Promise.all(tenants.map(change));
  return async () => {
    // One at a time: of two at the same time Incus may give both the same ids.
    for (const back of all) await back();
  };
}

const remove: Readonly<Record<Guard, (house: House) => Promise<Restore>>> = {
  frames: async (house) => {
    const back = await removeTable(names.framesTable(house));
    const learn = await linkLocalLearning(house);
    return async () => {
      await learn();
      await back();
    };
  },
  doors: (house) => removeTable(names.doorsTable(house)),
  isolation: (house) => unsetOnInstances(house, names.isolation, true),
  processes: (house) => unsetOnInstances(house, names.processes, false),
  network: async (house) => {
    const { bridge, incus } = house.host.incus;
    const { config } = JSON.parse(await incus(['query', `/1.0/networks/${bridge}`])) as {
      config: Record<string, string>;
    };
    return unset(house, ['network'], bridge, config, names.network);
  },
  addresses: async (house) => {
    const { instance } = house.alice;
    const filters = Object.entries((await instanceOf(house.host, instance)).devices['eth0'] ?? {}).filter(([key]) =>
      /^security\..*_filtering$/.test(key),
    );
    const set = (values: readonly string[]): Promise<string> =>
      house.host.incus.incus(['config', 'device', 'set', instance, 'eth0', ...values]);
    await set(filters.map(([key]) => `${key}=false`));
    return async () => {
      await set(filters.map(([key, value]) => `${key}=${value}`));
    };
  },
  ports: async (house) => {
    const ports = await Promise.all([house.alice, house.bob].map((tenant) => portOf(house, tenant)));
    const isolate = async (state: 'on' | 'off'): Promise<void> => {
      for (const port of ports) await run('bridge', ['link', 'set', 'dev', port, 'isolated', state]);
    };
    await isolate('off');
    return () => isolate('on');
  },
};

/** Runs an action without these guards. They are put back, the last one first, however the action ends. */
export async function withoutGuard<T>(house: House, guards: readonly Guard[], action: () => Promise<T>): Promise<T> {
  const [guard, ...rest] = guards;
  if (guard === undefined) return action();
  const restore = await remove[guard](house);
  try {
    return await withoutGuard(house, rest, action);
  } finally {
    await restore();
  }
}
