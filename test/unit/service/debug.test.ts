/** `debug` on a simulated host, on which each link is broken by hand; the command that it advises mends it. */
import { describe, expect, it } from 'vitest';
import { commandsIn } from '../../../src/catalogue/advice.ts';
import { createContainer } from '../../../src/service/create.ts';
import { debugAccess } from '../../../src/service/debug.ts';
import { parseCommandLine } from '../../../src/catalogue/parse.ts';
import type { InstanceRecord } from '../../../src/simulated/state/state.ts';
import { parseNetwork } from '../../../src/domain/values/network.ts';
import { alice, callBy, hosts, owner } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { carol, type World } from '../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});

const debug = (world: World, from?: string) =>
  debugAccess(world.context, { user: alice, ...(from === undefined ? {} : { from }) }, callBy());

/** Makes the sshd inside serve this host key, or none answer. */
function serving(hostKey: string | null): (instance: InstanceRecord) => void {
  return ({ run }) => {
    if (run !== null) run.hostKey = hostKey;
  };
}

/** Runs the first command of an advice. */
async function follow(world: World, next: string): Promise<void> {
  const [command] = commandsIn(next);
  const { verb, input } = parseCommandLine(command?.words ?? [], carol);
  await world.must(verb.name, { ...input, ...(verb.stdin === undefined ? {} : { keys: newKey('alice@new').line }) });
}

describe('debug', () => {
  it('finds nothing on a host that is in order', async () => {
    const world = await host();
    const { links, broken } = await debug(world);
    expect(broken).toBeNull();
    expect(links.map(({ severity }) => severity)).toEqual(links.map(() => 'ok'));
  });

  it.each<[string, (world: World) => Promise<unknown>]>([
    [
      'bans',
      ({ context }) =>
        context.bans.add(parseNetwork('192.0.2.0/24'), {
          forMs: undefined,
          reason: undefined,
          by: 'carol',
        }),
    ],
    ['jump account', ({ context }) => context.accounts.remove('alice')],
    ['jump keys', ({ context }) => context.jumpKeys.write('alice', 'something else\n')],
    ['jump keys', ({ context }) => context.jumpKeys.remove('alice')],
    ['container', ({ context }) => context.incus.stop('alice-container', { force: true })],
    [
      'keys inside',
      ({ context }) =>
        context.incus.pushFile({
          instance: 'alice-container',
          path: '/etc/ssh/authorized_keys.d/alice',
          content: '',
          mode: '0644',
        }),
    ],
    ['keys', ({ context }) => context.incus.patch('alice-container', { config: { 'user.containarium.keys': '[]' } })],
  ])('finds that the link %s is broken, and says how to mend it', async (link, breakIt) => {
    const world = await host();
    await breakIt(world);
    const before = await debug(world, '192.0.2.7');
    expect(before.broken).toBe(link);
    const { next } = before.links.find(({ name }) => name === link) ?? {};
    await follow(world, next ?? '');
    const after = await debug(world, '192.0.2.7');
    expect(after.links.find(({ name }) => name === link)).toMatchObject({ severity: 'ok' });
  });

  it.each<[string, (instance: InstanceRecord) => void, RegExp]>([
    ['sshd inside', serving(null), /no sshd answers/],
    ['sshd inside', serving(`ssh-ed25519 ${newKey('x').blob.toString('base64')}`), /another host key/],
    [
      'address',
      ({ run }) => {
        if (run !== null) run.address = '10.0.3.250';
      },
      /does not have its address/,
    ],
    [
      'disk',
      ({ devices }) => {
        devices['root'] = { ...devices['root'], size: '1MiB' };
      },
      /it is full/,
    ],
    [
      'clock',
      (instance) => {
        instance.lastUsedAtMs = Date.now() + 3_600_000;
      },
      /the clock of the host/,
    ],
  ])('finds that the link %s is broken inside or by time', async (link, edit, says) => {
    const world = await host({
      edit: ({ instances }) => {
        const found = instances['alice-container'];
        if (found !== undefined) edit(found);
      },
    });
    const { links, broken } = await debug(world);
    expect(broken).toBe(link);
    expect(links.find(({ name }) => name === link)?.detail).toMatch(says);
  });

  it('says of what only a running container can answer that it is not known', async () => {
    const world = await host();
    await world.context.incus.stop('alice-container', { force: true });
    const { links } = await debug(world);
    expect(links.find(({ name }) => name === 'sshd inside')).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('does not run') as string,
    });
  });

  it('shows an owner nothing of the host', async () => {
    const world = await host();
    const { links } = await debugAccess(world.context, {}, callBy(owner(alice)));
    expect(links.map(({ name }) => name)).toEqual([
      'keys',
      'container',
      'address',
      'sshd inside',
      'user inside',
      'keys inside',
      'disk',
    ]);
  });
});
