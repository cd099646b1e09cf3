/** Every verb that changes something has a plan, which changes nothing: neither the host nor a file of the server. */
import { loadFormat } from '../../../../src/catalogue/loadFormat.ts';
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { allVerbs, mayUse, verbNamed, type VerbName } from '../../../../src/catalogue/catalogue.ts';
import { hasPlan, planOf } from '../../../../src/catalogue/plan.ts';
import { renderAnswer } from '../../../../src/catalogue/render.ts';
import type { LoginInfo } from '../../../../src/domain/access/login.ts';
import { serverHostKeys } from '../../../../src/service/access/hostKeyFiles.ts';
import { makeAuthority, validFor } from '../../../../src/service/certificates/x509.ts';
import { dayMs } from '../../../../src/domain/values/duration.ts';
import { nameBackup } from '../../../support/backups.ts';
import { alice, hosts, owner } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import { planned } from '../../../support/world/plans.ts';
import { backupsPath, type World } from '../../../support/world/world.ts';

await loadFormat('yaml');
await loadFormat('csv');

const ca = await makeAuthority({ commonName: 'Office', organization: 'Office' }, validFor(dayMs, new Date()));
const [first, other, third] = [newKey('alice@desk'), newKey('other@desk'), newKey('third@desk')].map(
  ({ line }) => line,
);
const backup = '20261129-120000-abcd';
const unread = `Backup ${backup} is not read for a plan, which cannot tell whether it is whole`;
const names = { serverName: ['jump.example.org'] };

const host = hosts(async (world) => {
  await mkdir(join(world.folder, 'keys'));
  await serverHostKeys(join(world.folder, 'keys'));
  await world.must('host-key rotate');
  await world.must('image build');
  await world.must('create', { user: 'alice', keys: first });
  await world.must('snapshot create', { user: 'alice', name: 'first' });
  await world.must('backup create', { user: 'alice' });
  await nameBackup(backupsPath(world.folder), 'alice-container', backup);
  await world.must('create', { user: 'zoe', keys: other });
  await world.must('delete', { user: 'zoe', yes: true });
  await world.must('admin add', { name: 'carol', keys: third });
  await world.must('admin add', { name: 'vic', keys: other, role: 'viewer' });
  await world.must('admin invite', { name: 'dora' });
  await world.must('ca add', { name: 'office', key: newKey('ca').line, for: 'both' });
  await world.must('ban add', { network: '203.0.113.9' });
  await world.must('cert generate', { ...names, admin: 'carol' });
  // The last, for `undo`.
  await world.must('label set', { user: 'alice', labels: ['team=red'] });
});

const login = { login: 'L1', name: 'vic', entryPoint: 'manage' } as LoginInfo;

/** What the plan of a verb has besides steps. */
interface Expected {
  readonly input?: Readonly<Record<string, unknown>>;
  readonly files?: readonly string[];
  readonly notes?: readonly string[];
  /** Changes the world before. */
  readonly prepare?: (world: World) => void;
  /** Whether the call would run anything on the host. */
  readonly steps?: true;
}

const steps = true;
const admins = ['admins.json'];
const invitations = ['invitations.json'];
const authorities = ['authorities.json'];
const bans = ['bans.json'];

/** Every verb with a plan. A new one belongs here. */
const verbs: Readonly<Partial<Record<VerbName, Expected>>> = {
  create: { input: { user: 'bob', keys: other }, steps },
  resize: { input: { user: 'alice', cpu: '2' }, steps },
  delete: { input: { user: 'alice' }, steps },
  'label set': { input: { user: 'alice', labels: ['team=blue'] }, steps },
  'label remove': { input: { user: 'alice', keys: ['team'] }, steps },
  'ttl set': { input: { user: 'alice', when: '30d' }, steps },
  'ttl clear': { input: { user: 'alice' } },
  'trash restore': { input: { user: 'zoe' }, steps },
  'trash purge': { input: { user: 'zoe' }, steps },
  undo: { steps },
  'schedule run': { input: { job: 'trash' } },
  protect: { input: { user: 'alice' }, steps },
  unprotect: { input: { user: 'alice' } },
  start: { input: { user: 'alice' } },
  stop: { input: { user: 'alice' }, steps },
  restart: { input: { user: 'alice' }, steps },
  'snapshot create': { input: { user: 'alice' }, steps },
  'snapshot restore': { input: { user: 'alice', snapshot: 'first' }, steps },
  'snapshot delete': { input: { user: 'alice', snapshot: 'first' }, steps },
  'snapshot rename': { input: { user: 'alice', snapshot: 'first', to: 'zero' }, steps },
  'snapshot schedule': { input: { user: 'alice', every: 'weekly' }, steps },
  'backup create': { input: { user: 'alice' }, steps },
  'backup verify': {
    input: { user: 'alice', backup },
    notes: ['Files of the throwaway container are compared with the list of the backup', unread],
    steps,
  },
  'backup restore': { input: { user: 'alice', backup: 'latest' }, notes: [unread], steps },
  'backup rebuild': {},
  'backup delete': { input: { user: 'alice', backup }, steps },
  'keys add': { input: { keys: other }, files: invitations },
  'keys invite': { files: invitations },
  'keys remove': { input: { key: 'alice@desk', yes: true }, steps },
  'key add': { input: { user: 'alice', keys: other }, steps },
  'key remove': { input: { user: 'alice', key: 'alice@desk', yes: true }, steps },
  'key replace': { input: { user: 'alice', keys: other }, steps },
  'key invite': { input: { user: 'alice' }, files: invitations },
  'admin add': { input: { name: 'eve', keys: newKey('eve@desk').line }, files: admins },
  'admin role': { input: { name: 'vic', role: 'admin' }, files: admins },
  'admin remove': { input: { admin: 'vic' }, files: admins },
  'admin invite': { input: { name: 'eve' }, files: invitations },
  'invite cancel': { input: { invitation: 'dora' }, files: invitations },
  'ca add': { input: { name: 'lab', key: newKey('lab').line, for: 'manage' }, files: authorities },
  'ca remove': { input: { name: 'office' }, files: authorities },
  'ca revoke': { input: { name: 'office', serial: ['7'] }, files: authorities },
  'cert generate': {
    input: { ...names, admin: 'carol', replace: true },
    files: ['certificates.json', 'certs/ca.crt', 'certs/ca.key', 'certs/server.crt', 'certs/server.key'],
  },
  'cert generate-with-ca': {
    input: { ...names, admin: 'carol', replace: true, ca: `${ca.certificate}${ca.key}` },
    files: ['certificates.json', 'certs/ca.crt', 'certs/ca.key', 'certs/server.crt', 'certs/server.key'],
  },
  'cert issue': { input: { admin: 'vic' }, files: ['certificates.json'] },
  'cert revoke': { input: { certificate: 'carol' }, files: ['certificates.json'] },
  'cert renew': { files: ['certs/server.crt', 'certs/server.key'] },
  reconcile: { input: { apply: true } },
  'image build': { steps },
  'host-key rotate': {
    prepare: ({ folder }) => {
      for (const name of ['host_ed25519.next', 'host_ed25519.next.pub']) rmSync(join(folder, 'keys', name));
    },
    files: ['keys/host_ed25519.next', 'keys/host_ed25519.next.pub'],
  },
  'host-key switch': {
    input: { yes: true },
    files: [
      'keys/host_ed25519',
      'keys/host_ed25519.next',
      'keys/host_ed25519.next.pub',
      'keys/host_ed25519.previous',
      'keys/host_ed25519.pub',
    ],
  },
  'session kick': { input: { session: 'vic' }, notes: ['The login L1 of vic at manage@ ends'] },
  'ban add': { input: { network: '198.51.100.9' }, files: bans },
  'ban lift': { input: { network: '203.0.113.9' }, files: bans },
};

async function open(): Promise<World> {
  const world = await host();
  const { logins } = world.context;
  vi.spyOn(logins, 'list').mockReturnValue([login]);
  vi.spyOn(logins, 'end').mockImplementation(() => expect.fail('a login was ended'));
  return world;
}

it('every verb that changes something has a plan, except shell', () => {
  const changing = allVerbs.filter(({ changes, name }) => changes && name !== 'shell').map(({ name }) => name);
  expect(Object.keys(verbs).sort()).toEqual(changing.sort());
  expect(
    allVerbs
      .filter(hasPlan)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(changing);
});

describe('a plan changes nothing, and tells what the call would change', () => {
  it.each(Object.entries(verbs))('%s', async (name, { input = {}, files = [], notes = [], prepare, steps: some }) => {
    const world = await open();
    prepare?.(world);
    const verb = verbNamed(name as VerbName);
    const by = mayUse(verb, 'manage', 'admin') ? undefined : owner(alice);
    const plan = await planned(world, name, input, by);
    expect(plan.files.map((file) => file.slice(world.folder.length + 1))).toEqual(files);
    expect(plan.notes).toEqual(notes);
    expect(plan.steps.length > 0).toBe(some === true);
    for (const format of ['table', 'json', 'yaml', 'csv'] as const) {
      const shown = renderAnswer({ verb: planOf(verb), result: plan }, format, world.context.host, {
        now: new Date(),
        terminal: false,
      });
      expect(shown.exitCode).toBe(0);
      // Only public keys are shown, and no invitation.
      expect(shown.stdout).not.toMatch(/PRIVATE KEY|invite-/);
    }
  });
});
