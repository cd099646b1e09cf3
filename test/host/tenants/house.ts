/**
 * Two tenants on one host: Alice attacks as root of her container, Bob and an admin work meanwhile. All cases share one
 * house, so each puts back what it changed.
 */
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect } from 'vitest';
import { run, succeeds } from '../../../src/prepare/programs.ts';
import { kernelLimits } from '../../../src/domain/values/kernelLimits.ts';
import { makeKey, type TestKey } from '../../support/keys.ts';
import { eventually, temporaryFolder } from '../../support/server.ts';
import { clientConfig, manage, result, ssh } from '../clients.ts';
import { startJumpHost, type JumpHost } from '../jumpHost.ts';
import { startLan, type Lan } from './lan.ts';

const attacks = fileURLToPath(new URL('../attacks', import.meta.url));
/** Where the attack programs are in a container. */
const inside = '/root/attacks';

export interface Tenant {
  readonly user: string;
  readonly instance: string;
  readonly key: TestKey;
  /** The configuration of a stock ssh client, as `self@ config` gave it. */
  readonly config: string;
  readonly address: string;
  readonly mac: string;
}

export interface House {
  readonly host: JumpHost;
  readonly folder: string;
  readonly lan: Lan;
  readonly alice: Tenant;
  readonly bob: Tenant;
  readonly bridgeMac: string;
}

/** Raises the limits that containers share, as `--real` does. They stay, because other tests may rely on them then. */
export async function raiseLimits(): Promise<void> {
  for (const [name, { value: wanted }] of Object.entries(kernelLimits)) {
    const path = join('/proc/sys', ...name.split('.'));
    const present = await readFile(path, 'utf8').catch(() => undefined);
    if (present !== undefined && Number(present) < wanted) await writeFile(path, `${wanted}\n`);
  }
}

export async function openHouse(): Promise<House> {
  await raiseLimits();
  let lan: Lan | undefined;
  const host = await startJumpHost({
    name: 'tenants',
    packages: [],
    beforeServer: async (incus) => void (lan = await startLan(incus)),
  });
  try {
    if (lan === undefined) throw new Error('there is no LAN');
    const folder = await temporaryFolder();
    const built = await manage(host, ['image', 'build']);
    expect(built.code, built.stderr).toBe(0);
    const [alice, bob] = await Promise.all(['cxt-mallory', 'cxt-peggy'].map((user) => moveIn(host, folder, user)));
    if (alice === undefined || bob === undefined) throw new Error('a tenant is missing');
    const bridgeMac = (await readFile(`/sys/class/net/${host.incus.bridge}/address`, 'utf8')).trim();
    return { host, folder, lan, alice, bob, bridgeMac };
  } catch (error) {
    await host.stop();
    throw error;
  }
}

export async function closeHouse(house: House | undefined): Promise<void> {
  if (house === undefined) return;
  await house.lan.stop();
  await house.host.stop();
  expect(await house.host.incus.remains()).toEqual([]);
}

/** Creates a container with the attack programs in it, and its owner's ssh configuration. */
async function moveIn(host: JumpHost, folder: string, user: string): Promise<Tenant> {
  const key = await makeKey(folder, user);
  const { container } = await result(host, ['create', user], key.line);
  const instance = `${user}-container`;
  const config = await clientConfig(host, folder, user, key);
  const programs = (await readdir(attacks)).map((name) => join(attacks, name));
  await host.incus.incus(['file', 'push', '--quiet', '--create-dirs', ...programs, `${instance}${inside}/`]);
  const { devices } = await instanceOf(host, instance);
  return { user, instance, key, config, address: container.address, mac: devices['eth0']?.['hwaddr'] ?? '' };
}

interface InstanceDocument {
  readonly status: string;
  readonly config: Record<string, string>;
  readonly devices: Record<string, Record<string, string>>;
}

export async function instanceOf(host: JumpHost, instance: string): Promise<InstanceDocument> {
  return JSON.parse(await host.incus.incus(['query', `/1.0/instances/${instance}`])) as InstanceDocument;
}

/** Returns the host's end of a container's network interface, which may change at each start. */
export async function portOf({ host }: House, { instance }: Tenant): Promise<string> {
  return (await instanceOf(host, instance)).config['volatile.eth0.host_name'] ?? '';
}

export interface Attack {
  /** Resolves when the attack is under way, for a program that says so. */
  started(): Promise<void>;
  /** Resolves to what the program reported. The program may still run. */
  report(): Promise<any>;
  /** Resolves when the program has ended, in whichever way. */
  readonly ended: Promise<void>;
}

let attackNumber = 0;

/** Starts an attack program as root in a container. */
export function startAttack(
  house: House,
  tenant: Tenant,
  program: string,
  args: readonly (string | number)[] = [],
): Attack {
  attackNumber += 1;
  const file = `/root/report-${attackNumber}`;
  const script = `ulimit -n 10000; exec perl ${inside}/${program}.pl "$@" > ${file} 2>&1`;
  let over = false;
  const ended = execa(
    'incus',
    ['exec', tenant.instance, '--', 'sh', '-c', script, program, ...args.map((each) => `${each}`)],
    { env: house.host.incus.env, reject: false, stdin: 'ignore', timeout: 120_000 },
  ).then(() => {
    over = true;
  });
  /** Returns what the program has written when it has written the text, or has ended. */
  const output = async (text: string): Promise<string> => {
    // Through the container's root, because Incus may lose output, and cannot run a program where none can be started.
    const path = `/proc/${await initOf(house, tenant)}/root${file}`;
    return eventually(async () => {
      const last = over;
      const read = await readFile(path, 'utf8').catch(() => '');
      return read.includes(text) || last ? read : undefined;
    }, `the output of ${program}`);
  };
  const started = async (): Promise<void> => {
    const text = await output('started\n');
    if (!text.includes('started\n')) throw new Error(`${program} did not start: ${text}`);
  };
  const report = async (): Promise<unknown> => {
    const text = await output('}\n');
    const line = text.split('\n').find((each) => each.startsWith('{'));
    if (line === undefined) throw new Error(`${program} reported nothing: ${text}`);
    return JSON.parse(line) as unknown;
  };
  return { started, report, ended };
}

/** Runs an attack program to its end and returns what it reported. */
export async function attack(
  house: House,
  tenant: Tenant,
  program: string,
  args: readonly (string | number)[] = [],
): Promise<any> {
  const { report, ended } = startAttack(house, tenant, program, args);
  await ended;
  return report();
}

/** Returns how Bob and the admin are served: Bob's login through his jump account, a terminal, and the admin's list. */
export async function service(house: House): Promise<{ login: boolean; terminal: boolean; admin: boolean | string }> {
  const { host, bob } = house;
  const [login, terminal, admin] = await Promise.all([
    ssh(bob.config, [`${bob.user}-dev`, 'id -un']),
    ssh(bob.config, ['-tt', `${bob.user}-dev`, 'tty']),
    manage(host, ['list', '--user', bob.user, '--json']),
  ]);
  return {
    login: login.stdout === `${bob.user}\n`,
    terminal: terminal.stdout.startsWith('/dev/pts/'),
    admin: (admin.code === 0 && admin.stdout.includes(`"${bob.user}"`)) || admin.stdout.slice(0, 1000),
  };
}

export const served = { login: true, terminal: true, admin: true };

/** Reports whether the host reaches the sshd of a container. */
export async function reachesSsh({ address }: Tenant): Promise<boolean> {
  const socket = connect(22, address);
  try {
    const [first] = (await once(socket, 'data', { signal: AbortSignal.timeout(2500) })) as [Buffer];
    return first.toString('latin1').startsWith('SSH-2.0-');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Returns the process id of a container's init, as the host sees it. Throws if it has none: Incus then says 0 or -1,
 * and a signal to 0 would go to the whole group of these tests (kill(2)).
 */
export async function initOf({ host }: House, { instance }: Tenant): Promise<number> {
  const { pid } = JSON.parse(await host.incus.incus(['query', `/1.0/instances/${instance}/state`])) as { pid: number };
  if (!(pid > 1)) throw new Error(`${instance} has no init: Incus says ${pid}`);
  return pid;
}

/** Returns the memory that a container is charged for, in bytes, from its control group (version 1 or 2). */
export async function chargedBytes(house: House, tenant: Tenant): Promise<number> {
  const groups = await readFile(`/proc/${await initOf(house, tenant)}/cgroup`, 'utf8');
  // The container's own group is the one of LXC, not the one that its init made for itself.
  const group = (controller: string): string | undefined =>
    new RegExp(`^\\d+:${controller}:(/.*?lxc\\.payload\\.[^/\\n]+)`, 'm').exec(groups)?.[1];
  const first = group('memory');
  const path =
    first === undefined
      ? `/sys/fs/cgroup${group('') ?? ''}/memory.current`
      : `/sys/fs/cgroup/memory${first}/memory.usage_in_bytes`;
  return Number(await readFile(path, 'utf8'));
}

/** Returns the port on which the bridge has learned an address. */
export async function learnedOn({ host }: House, mac: string): Promise<string[]> {
  const { stdout } = await run('bridge', ['-json', 'fdb', 'show', 'br', host.incus.bridge]);
  const entries = JSON.parse(stdout) as { mac: string; ifname: string }[];
  return entries.filter((entry) => entry.mac === mac).map(({ ifname }) => ifname);
}

/** Makes the bridge forget what it learned of an address on a port. */
export async function forget(mac: string, port: string): Promise<void> {
  await succeeds('bridge', ['fdb', 'del', mac, 'dev', port, 'master']);
}
