/**
 * Closes a bridge that exists: its DHCP and DNS server gets the settings that a new bridge is created with. Only a
 * bridge on which all instances are containers of this system; `doctor` names any other.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pRetry from 'p-retry';
import * as z from 'zod';
import { Failure } from '../domain/failure.ts';
import { missingBridgeSettings, othersOnBridge } from '../host/incus/bridgeSettings.ts';
import { incusDir } from './daemon.ts';
import { queryIncus } from './initialise.ts';
import { run } from './programs.ts';

const stringMap = z.record(z.string(), z.string());
const networks = z.array(
  z.looseObject({ name: z.string(), type: z.string(), managed: z.boolean(), config: stringMap.default({}) }),
);
const instances = z
  .array(
    z.looseObject({
      name: z.string(),
      config: stringMap.default({}),
      devices: z.record(z.string(), stringMap).default({}),
      expanded_devices: z.record(z.string(), stringMap).nullish(),
    }),
  )
  .nullable();

/** The bridge that {@link file:initialise.ts} creates. */
const defaultBridge = 'incusbr0';

export interface CloseOptions {
  /** Announces the change before it is made. */
  readonly say: (line: string) => void;
  /** The configured bridge. Default: `incusbr0`, or the only managed bridge. */
  readonly name?: string | undefined;
  /** Environment of the Incus (`INCUS_DIR`). Default: the machine's own Incus. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Returns a lease file of dnsmasq without names. A lease keeps its name as long as it is renewed, even if dnsmasq takes
 * no new names (dnsmasq 2.90, observed).
 */
export function withoutNames(leases: string): string {
  return leases.replaceAll(/^(\S+ \S+ \S+) \S+ (\S+)$/gm, '$1 * $2');
}

/** Writes in place, because dnsmasq's own user must be able to write the file too. */
async function removeLeaseNames(path: string): Promise<void> {
  try {
    const leases = await readFile(path, 'utf8');
    const nameless = withoutNames(leases);
    if (nameless !== leases) await writeFile(path, nameless);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw new Failure('program-failed', { what: `the leases in ${path}`, why: String(error) }, error);
  }
}

export async function closeBridge({ say, name, env = {} }: CloseOptions): Promise<void> {
  const bridges = (await queryIncus('/1.0/networks?recursion=1', networks, env)).filter(
    (network) => network.managed && network.type === 'bridge',
  );
  const only = bridges.length === 1 ? bridges[0]?.name : undefined;
  const wanted = name ?? (bridges.some((candidate) => candidate.name === defaultBridge) ? defaultBridge : only);
  const bridge = bridges.find((candidate) => candidate.name === wanted);
  if (bridge === undefined) return;
  const missing = missingBridgeSettings(bridge.config);
  if (Object.keys(missing).length === 0) return;
  const all = await queryIncus('/1.0/instances?recursion=1&all-projects=true', instances, env);
  if (othersOnBridge(bridge, all ?? []) !== undefined) return;
  say(
    `Closing the bridge "${bridge.name}" (${Object.keys(missing).join(', ')}): DHCP for instances with a fixed address only, ` +
      'and no names of instances in its DNS',
  );
  const settings = Object.entries(missing).map(([key, value]) => `${key}=${value}`);
  // Incus restarts dnsmasq with the new settings, and only then does dnsmasq read its leases.
  await removeLeaseNames(join(incusDir(env), 'networks', bridge.name, 'dnsmasq.leases'));
  await retriedOnBridge(() => run('incus', ['network', 'set', bridge.name, ...settings], { env }));
}

/**
 * Runs a change of a bridge, and repeats it if an interface left the bridge meanwhile: Incus lists the interfaces
 * before it looks at each (incus 6.0.4, seen while a container stopped).
 */
export function retriedOnBridge<T>(change: () => Promise<T>): Promise<T> {
  return pRetry(change, {
    retries: 4,
    minTimeout: 250,
    factor: 2,
    shouldRetry: ({ error }) => /bridge children interfaces: .*does not exist/.test(error.message),
  });
}
