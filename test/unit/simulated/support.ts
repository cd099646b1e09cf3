/** Fixtures for tests of the simulated host: a host in a temporary folder, and the modules that use it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { Accounts } from '../../../src/host/accounts.ts';
import type { Incus } from '../../../src/host/incus/incus.ts';
import { incusBy } from '../../support/incus.ts';
import { KeyScan } from '../../../src/host/keyscan.ts';
import type { Command, Output } from '../../../src/host/runner.ts';
import { SimulatedHost } from '../../../src/simulated/host.ts';
import type { SimulatedHostOptions } from '../../../src/simulated/host.ts';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'containarium-simulated-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A clock that only the test moves. */
export class Clock {
  ms = Date.UTC(2026, 0, 1);
  readonly now = (): number => this.ms;

  advance(ms: number): void {
    this.ms += ms;
  }
}

export interface Fixture {
  readonly folder: string;
  readonly statePath: string;
  readonly host: SimulatedHost;
  readonly incus: Incus;
  readonly accounts: Accounts;
  readonly keyscan: KeyScan;
  /** Runs a command and accepts every exit code. */
  run(program: Command['program'], args: readonly string[], input?: string): Promise<Output>;
  /** Runs a command and returns its exit code and stderr as one text, without the last line break. */
  say(program: Command['program'], args: readonly string[], input?: string): Promise<string>;
}

const anyExit = Array.from({ length: 256 }, (_, code) => code);

export function fixture(options: SimulatedHostOptions = {}, folder = temporaryFolder()): Fixture {
  const statePath = join(folder, 'host.json');
  const host = SimulatedHost.open(statePath, options);
  const run: Fixture['run'] = (program, args, input) =>
    host.runner.run({
      program,
      args,
      timeoutMs: 30_000,
      allowExit: anyExit,
      ...(input === undefined ? {} : { input }),
    });
  return {
    folder,
    statePath,
    host,
    incus: incusBy(host.runner),
    accounts: new Accounts(host.runner, { retries: 2, minTimeout: 1, maxTimeout: 2 }),
    keyscan: new KeyScan(host.runner),
    run,
    say: async (program, args, input) => {
      const { exitCode, stderr } = await run(program, args, input);
      return `${exitCode} ${stderr.replace(/\n$/, '')}`;
    },
  };
}

/** Returns the devices of a container: a root disk and a NIC on the bridge, with or without a fixed address. */
export function devices(address?: string, size = '5GiB'): Record<string, Record<string, string>> {
  return {
    root: { type: 'disk', path: '/', pool: 'default', size },
    eth0: {
      type: 'nic',
      name: 'eth0',
      network: 'incusbr0',
      ...(address === undefined ? {} : { 'ipv4.address': address }),
    },
  };
}

export const base = 'images:debian/12';

/** Returns the JSON that `incus create` reads from standard input. */
export function spec(config: Record<string, string> = {}, address?: string): string {
  return JSON.stringify({ config, devices: devices(address) });
}

/** Builds a prepared image like the image recipe, under an alias. */
export async function prepareImage({ incus }: Fixture, alias: string): Promise<void> {
  await incus.create('build', base, { config: {}, devices: devices() });
  await incus.start('build');
  await incus.pushFile({
    instance: 'build',
    path: '/etc/containarium/first-boot',
    content: '#!/bin/sh\n',
    mode: '0755',
  });
  await incus.stop('build', { force: true });
  await incus.publish('build', alias, {});
  await incus.delete('build');
}

/** Pushes the seed of a user and a host key into a stopped container. */
export async function seed({ incus }: Fixture, instance: string, privateKey: string, user = 'alice'): Promise<void> {
  for (const [name, content] of Object.entries({ name: instance, docker: 'no', user })) {
    await incus.pushFile({ instance, path: `/etc/containarium/seed/${name}`, content: `${content}\n`, mode: '0644' });
  }
  await incus.pushFile({ instance, path: '/etc/ssh/ssh_host_ed25519_key', content: privateKey, mode: '0600' });
}

/** Returns the failure that a promise rejects with. Anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw new Error(`expected a Failure, got ${String(error)}`);
}
