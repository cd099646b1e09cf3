/** `security` on a simulated host with the container of alice. */
import { describe, expect, it } from 'vitest';
import { securityEvent, securityEventTypes } from '../../../src/catalogue/verbs/security.ts';
import { Failure } from '../../../src/domain/failure.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { SecurityOverview } from '../../../src/domain/results/security.ts';
import { createContainer } from '../../../src/service/create.ts';
import { followEvents, securityOverview } from '../../../src/service/security.ts';
import { eventually } from '../../support/eventually.ts';
import { accepted, failed, logSshd } from '../../support/sshdLog.ts';
import { alice, callBy, hosts } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import type { World } from '../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});

const soon = (): string => new Date(Date.now() + 1000).toISOString();
const overview = (world: World, input = {}): Promise<SecurityOverview> =>
  world.must('security', input) as Promise<SecurityOverview>;

/** Lets the log of sshd tell of a connection of alice, and of failed logins. */
async function connect(world: World): Promise<void> {
  world.connections.start();
  logSshd(
    world.folder,
    failed({ at: soon(), pid: 5 }, 'root', '192.0.2.9', 'authenticating'),
    failed({ at: soon(), pid: 6 }, 'x', '192.0.2.9', 'invalid'),
    accepted({ at: soon(), pid: 7 }, 'alice'),
  );
  await eventually(() => world.connections.lastSeen('alice'), 'alice was seen');
}

describe('security', () => {
  it('shows who is connected, who failed, who was active, and what is banned', async () => {
    const world = await host();
    await connect(world);
    await world.must('ban add', { network: '192.0.2.8/30' });
    await world.journal.append({ type: 'login', actor: { name: 'carol', entryPoint: 'manage' } });
    await world.journal.append({
      type: 'refusals',
      count: 30,
      reasons: { key: 30 },
      top: [
        { address: '192.0.2.9', count: 3 },
        { address: '203.0.113.5', count: 20 },
      ],
    });
    await world.journal.append({ type: 'ssh-failures', count: 2, top: [{ address: '192.0.2.9', count: 2 }] });
    const found = await overview(world);
    expect(found).toMatchObject({
      connections: [{ user: 'alice', container: 'alice-container', state: 'open' }],
      trouble: null,
      bans: [{ network: '192.0.2.8/30', kind: 'ban' }],
      failures: { server: 30, unlisted: 7 },
    });
    expect(found.failures.sources).toEqual([
      { address: '203.0.113.5', server: 20, host: 0, banned: false },
      expect.objectContaining({ address: '192.0.2.9', server: 3, banned: true }),
    ]);
    expect(found.failures.host).toBeGreaterThanOrEqual(2);
    expect(found.active).toEqual([
      expect.objectContaining({ name: 'alice', kind: 'user', connections: 1, logins: 0 }),
      expect.objectContaining({ name: 'carol', kind: 'admin', connections: 0, logins: 1 }),
    ]);
  });

  it('looks no further back than it is told', async () => {
    const world = await host();
    await world.journal.append({ type: 'login', actor: { name: 'carol', entryPoint: 'manage' } });
    const later = new Date(Date.now() + 5000).toISOString();
    expect((await overview(world)).active).toHaveLength(1);
    expect((await overview(world, { since: later })).active).toEqual([]);
  });

  it('names the keys of admins that end soon, and the checks that are about security', async () => {
    const world = await host();
    const day = 24 * 60 * 60 * 1000;
    const at = (days: number): string => new Date(Date.now() + days * day).toISOString();
    const key = (name: string): string => newKey(name).line;
    await world.must('admin add', { name: 'carol', keys: key('a'), expires: at(3) });
    await world.must('admin add', { name: 'dave', keys: key('b'), expires: at(90) });
    await world.must('admin add', { name: 'erin', keys: key('c') });
    const { expiring, checks } = await overview(world);
    expect(expiring).toMatchObject([{ admin: 'carol', kind: 'key' }]);
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['firewall', 'jump accounts', 'admin keys', 'sshd']),
    );
    expect(checks.find(({ name }) => name === 'admin keys')).toMatchObject({ severity: 'warning' });
  });

  it('says why connections are not known, and that failures at the host are not', async () => {
    const world = await host();
    const coverage = (): never => {
      throw new Failure('program-missing', { what: 'the connections', why: 'no journal' });
    };
    const connections = { coverage, open: () => [], lastSeen: () => undefined };
    const found = await securityOverview({ ...world.context, connections }, {}, callBy());
    expect(found).toMatchObject({ connections: [], failures: { host: null } });
    expect(found.trouble).toBe('no journal');
  });
});

describe('security --follow', () => {
  const types = securityEventTypes;
  const line = (record: JsonObject, time: string): string | undefined =>
    securityEvent(record, time, (verb) => verb === 'key add');

  it('begins with the last events, and goes on with each new one until the caller leaves', async () => {
    const world = await host();
    for (let i = 0; i < 25; i++)
      await world.journal.append({ type: 'login', actor: { name: `person${i}`, entryPoint: 'manage' } });
    const leaving = new AbortController();
    let output = '';
    const progress = { step: () => undefined, note: () => undefined, output: (text: string) => void (output += text) };
    const following = followEvents(world.context, { types, line }, { signal: leaving.signal, progress });
    await eventually(() => (output === '' ? undefined : true), 'the last events');
    const first = output.trimEnd().split('\n');
    expect(first).toHaveLength(20);
    expect(first.at(-1)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +login +person24 +manage@/);

    output = '';
    await world.journal.append({ type: 'verb', verb: 'list', actor: { name: 'carol' } });
    await world.journal.append({ type: 'outcome', verb: 'list', outcome: 'ok', actor: { name: 'carol' } });
    await world.journal.append({
      type: 'outcome',
      verb: 'key add',
      target: 'alice',
      outcome: 'ok',
      actor: { name: 'carol' },
    });
    await connect(world);
    const next = await eventually(() => (output.includes('alice-container') ? output : undefined), 'the connection');
    expect(next).toMatch(/ outcome +carol +key add alice: ok$/m);
    expect(next).toMatch(/ connection +alice +to alice-container from 192\.0\.2\.7, SHA256:\S+ \(ED25519\)$/m);
    expect(next).not.toMatch(/\blist\b/);

    leaving.abort();
    await following;
    output = '';
    await world.journal.append({ type: 'login', actor: { name: 'late', entryPoint: 'manage' } });
    expect(output).toBe('');
  });
});

it('info shows the last connection of a user through the host', async () => {
  const world = await host();
  expect(await world.must('info', { user: 'alice' })).toMatchObject({ container: { lastSeen: null } });
  await connect(world);
  expect(await world.must('info', { user: 'alice' })).toMatchObject({
    container: { lastSeen: { address: '192.0.2.7' } },
  });
});
