/**
 * Every verb of the catalogue in every format, with success and with each possible refusal. A verb without a case does
 * not compile, and fails here.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { mayUse, verbNamed, verbNames, type VerbName } from '../../src/catalogue/catalogue.ts';
import { exitCodes, failureCodes, type FailureCode } from '../../src/domain/failure.ts';
import { makeAuthority } from '../../src/service/certificates/x509.ts';
import { withAdmins } from '../support/admins.ts';
import { nameBackup } from '../support/backups.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import {
  eventually,
  startServer,
  temporaryFolder,
  type Finished,
  type SshCommandOptions,
  type TestServer,
} from '../support/server.ts';

interface Case {
  /** A command line that succeeds every time. */
  readonly words: readonly string[];
  readonly stdin?: () => string;
  /** Prepares each run. `run` runs a command that must succeed. */
  readonly before?: (run: (words: readonly string[], stdin?: string) => Promise<void>) => Promise<void>;
  /** The same command line with a user, key or admin that does not exist. */
  readonly missing?: readonly string[];
  /** Failure code of `missing`. Default: `not-found`. */
  readonly missingCode?: FailureCode;
  /** Failure code for too many words. Default: `usage`. */
  readonly tooMany?: FailureCode;
  /** Matches the answer in the default format. */
  readonly shows: RegExp;
  /** Columns of the CSV answer. */
  readonly columns?: readonly string[];
  /** Exit code of the success. Default: 0. */
  readonly code?: number;
}

let server: TestServer;
const keys = {} as Record<'admin' | 'viewer' | 'operator' | 'alice' | 'other' | 'ca' | 'branch', TestKey>;

const missingUser = 'missing-one';
const doomedBackup = '20260101-000000-doom';
/** The folder of backups. */
let backups: string;
const backupColumns = [
  'user',
  'id',
  'created_at',
  'stored_bytes',
  'plain_bytes',
  'files',
  'encrypted',
  'format',
  'base',
  'verified_at',
  'stores',
  'trouble',
];
const keyColumns = ['type', 'bits', 'fingerprint', 'comment', 'added_at', 'added_by'];
const banColumns = ['network', 'kind', 'reason', 'by', 'at', 'until'];
const adminColumns = [
  'name',
  'role',
  'type',
  'fingerprint',
  'comment',
  'added_at',
  'added_by',
  'from',
  'expires_at',
  'verify_required',
  'last_used_at',
  'last_used_from',
];
const authorityColumns = [
  'name',
  'for',
  'type',
  'fingerprint',
  'comment',
  'revoked_serials',
  'revoked_key_ids',
  'revoked_keys',
  'added_at',
  'added_by',
];
const hostKeyColumns = ['key', 'type', 'fingerprint', 'made_at', 'in_use', 'known_hosts', 'sshfp'];
const invitationColumns = ['id', 'kind', 'name', 'role', 'by', 'expires_at', 'by_owner', 'fingerprint'];
const tokenColumns = ['id', 'kind', 'name', 'role', 'expires_at', 'token', 'command', 'fingerprint'];
const certificateColumns = ['admin', 'state', 'expires_at', 'serial', 'issued_at', 'issued_by'];
/** A CA with its key, PEM. */
let testAuthority = '';
/** Makes new certificates of the remote interface. */
const certificates = (run: (words: readonly string[]) => Promise<void>): Promise<void> =>
  run(['cert', 'generate', '--server-ip', '192.0.2.1', '--replace']);
/** Makes sure that a CA named office exists. */
const office = (run: (words: readonly string[], stdin?: string) => Promise<void>): Promise<void> =>
  run(['ca', 'add', 'office', '--for', 'manage'], keys.ca.line).catch(() => undefined);

/**
 * `help` is answered without the host; `shell` needs a terminal (test/shell/terminal.test.ts); `backup download` sends
 * bytes (test/ssh/download.test.ts).
 */
type Tried = Exclude<VerbName, 'help' | 'shell' | 'backup download'>;

const cases: Record<Tried, Case> = {
  create: {
    words: [
      'create',
      'fresh',
      '--cpu',
      '2',
      '--memory',
      '1GiB',
      '--disk-quota',
      '10GB',
      '--label',
      'team=web',
      '--no-autostart',
    ],
    stdin: () => keys.other.line,
    before: (run) => run(['delete', 'fresh', '--yes']).catch(() => undefined),
    shows: /^Container fresh-container created$/m,
  },
  list: {
    words: ['list'],
    missing: ['list', '--columns', 'nothing'],
    missingCode: 'usage',
    shows: /^alice +Running/m,
    columns: ['user', 'status', 'ip', 'quota', 'autostart', 'disk', 'memory', 'snapshot'],
  },
  info: { words: ['info', 'alice'], missing: ['info', missingUser], shows: /^ {2}User: +alice$/m },
  resize: {
    words: ['resize', 'alice', '--cpu', '3'],
    missing: ['resize', missingUser, '--cpu', '3'],
    shows: /alice-container (resized|already has this size)/,
    columns: ['what', 'from', 'to'],
  },
  delete: {
    words: ['delete', 'doomed', '--yes'],
    before: (run) => run(['create', 'doomed'], keys.other.line),
    missing: ['delete', missingUser, '--yes'],
    shows: /^Container doomed-container and jump account doomed deleted/,
  },
  'snapshot create': {
    words: ['snapshot', 'create', 'alice', 'fresh'],
    before: (run) => run(['snapshot', 'delete', 'alice', 'fresh', '--yes']).catch(() => undefined),
    missing: ['snapshot', 'create', missingUser],
    shows: /^alice-container: snapshot fresh made$/m,
  },
  'snapshot list': {
    words: ['snapshot', 'list', 'alice'],
    missing: ['snapshot', 'list', missingUser],
    shows: /By schedule: daily, kept 30d/,
    columns: ['name', 'origin', 'created_at', 'expires_at', 'size_bytes'],
  },
  'snapshot restore': {
    words: ['snapshot', 'restore', 'alice', 'kept', '--yes'],
    before: (run) => run(['snapshot', 'create', 'alice', 'kept']).catch(() => undefined),
    missing: ['snapshot', 'restore', 'alice', 'nothing', '--yes'],
    shows: /^alice-container: restored kept; the files before are in before-restore-/m,
  },
  'snapshot rename': {
    words: ['snapshot', 'rename', 'alice', 'misnamed', 'named'],
    before: async (run) => {
      await run(['snapshot', 'delete', 'alice', 'named', '--yes']).catch(() => undefined);
      await run(['snapshot', 'create', 'alice', 'misnamed']);
    },
    missing: ['snapshot', 'rename', 'alice', 'nothing', 'something'],
    shows: /^alice-container: snapshot misnamed is now named$/m,
  },
  'snapshot delete': {
    words: ['snapshot', 'delete', 'alice', 'doomed', '--yes'],
    before: (run) => run(['snapshot', 'create', 'alice', 'doomed']),
    missing: ['snapshot', 'delete', 'alice', 'nothing', '--yes'],
    shows: /^alice-container: snapshot doomed deleted$/m,
  },
  'backup create': {
    words: ['backup', 'create', 'alice'],
    missing: ['backup', 'create', missingUser],
    shows: /^alice-container: backup [0-9-]+-\w{4} made, .* with \d+ files$/m,
  },
  'backup list': {
    words: ['backup', 'list', 'alice'],
    before: (run) => run(['backup', 'create', 'alice']),
    shows: /^alice +[0-9-]+-\w{4} .* never +directory +-$/m,
    columns: backupColumns,
  },
  'backup verify': {
    words: ['backup', 'verify', 'alice', 'latest'],
    before: (run) => run(['backup', 'create', 'alice']),
    missing: ['backup', 'verify', missingUser, 'latest'],
    shows: /^Backup [0-9-]+-\w{4} was restored and booted: \d+ files compared, all as they were$/m,
  },
  'backup restore': {
    words: ['backup', 'restore', 'alice', 'latest', '--yes'],
    before: (run) => run(['backup', 'create', 'alice']),
    missing: ['backup', 'restore', 'alice', '20200101-000000-none', '--yes'],
    shows: /^alice-container: restored [0-9-]+-\w{4}; the container before is in snapshot before-restore-[\d-]+$/m,
  },
  'backup rebuild': { words: ['backup', 'rebuild'], shows: /^\d+ containers? made again.*; \d+ were there$/m },
  'backup delete': {
    words: ['backup', 'delete', 'alice', doomedBackup, '--yes'],
    before: async (run) => {
      await run(['backup', 'create', 'alice']);
      await nameBackup(backups, 'alice-container', doomedBackup);
    },
    missing: ['backup', 'delete', 'alice', '20200101-000000-none', '--yes'],
    shows: /^alice-container: backup 20260101-000000-doom deleted, .* freed$/m,
  },
  'snapshot schedule': {
    words: ['snapshot', 'schedule', 'alice', 'daily', '--keep', '30d'],
    missing: ['snapshot', 'schedule', missingUser, 'daily'],
    shows: /^alice-container: snapshots daily, kept 30d$/m,
  },
  debug: {
    words: ['debug', 'alice'],
    missing: ['debug', missingUser],
    shows: /^sshd inside +ok/m,
    columns: ['link', 'severity', 'detail', 'next'],
  },
  protect: {
    words: ['protect', 'alice'],
    before: (run) => run(['unprotect', 'alice']),
    missing: ['protect', missingUser],
    shows: /^alice-container is now protected from being deleted$/m,
  },
  unprotect: {
    words: ['unprotect', 'alice'],
    before: (run) => run(['protect', 'alice']),
    missing: ['unprotect', missingUser],
    shows: /^alice-container is now unprotected$/m,
  },
  'label set': {
    words: ['label', 'set', 'alice', 'team=red'],
    missing: ['label', 'set', missingUser, 'team=red'],
    shows: /^alice-container: .*team=red/m,
  },
  'label remove': {
    words: ['label', 'remove', 'alice', 'team'],
    missing: ['label', 'remove', missingUser, 'team'],
    shows: /^alice-container: no labels$/m,
  },
  'ttl set': {
    words: ['ttl', 'set', 'power', '2100-01-31'],
    missing: ['ttl', 'set', missingUser, '30d'],
    shows: /^power-container moves to the trash at 2100-01-31 00:00 UTC$/m,
  },
  'ttl clear': {
    words: ['ttl', 'clear', 'power'],
    missing: ['ttl', 'clear', missingUser],
    shows: /^power-container stays until it is deleted$/m,
  },
  'trash list': {
    words: ['trash', 'list'],
    before: async (run) => {
      await run(['create', 'thrown'], keys.other.line).catch(() => undefined);
      await run(['delete', 'thrown', '--yes']).catch(() => undefined);
    },
    shows: /^thrown .*root-admin/m,
    columns: ['user', 'name', 'deleted_at', 'deleted_by', 'until', 'disk_used_bytes', 'snapshots'],
  },
  'trash restore': {
    words: ['trash', 'restore', 'back'],
    before: async (run) => {
      await run(['create', 'back'], keys.other.line).catch(() => undefined);
      await run(['delete', 'back', '--yes']);
    },
    missing: ['trash', 'restore', missingUser],
    shows: /^Container back-container is back, running, with the jump account back$/m,
  },
  'trash purge': {
    words: ['trash', 'purge', 'purged', '--yes'],
    before: async (run) => {
      await run(['create', 'purged'], keys.other.line);
      await run(['delete', 'purged', '--yes']);
    },
    missing: ['trash', 'purge', missingUser, '--yes'],
    shows: /^purged-container-\d{8}-\d{6}-[0-9a-z]{4} deleted for good/m,
  },
  undo: {
    words: ['undo', '--yes'],
    before: async (run) => {
      await run(['protect', 'alice']);
      await run(['unprotect', 'alice']);
    },
    shows: /^Took back "unprotect alice" of .* UTC: protect alice$/m,
  },
  'schedule list': {
    words: ['schedule', 'list'],
    shows: /^trash +/m,
    columns: ['name', 'pattern', 'next', 'last_at', 'last_outcome', 'last_text', 'late_ms'],
  },
  'schedule run': {
    words: ['schedule', 'run', 'trash'],
    missing: ['schedule', 'run', 'nothing'],
    shows: /^trash: nothing to do$/m,
  },
  'alert list': {
    words: ['alert', 'list'],
    shows: /^By mail to root@localhost: /m,
    columns: ['code', 'subject', 'severity', 'since', 'ended_at', 'text', 'next'],
  },
  'alert test': {
    words: ['alert', 'test'],
    shows: /^mail to root@localhost: sent$/m,
    columns: ['name', 'to', 'outcome', 'text'],
  },
  report: { words: ['report', '--since', '1h'], shows: /^\d+ containers: \d+ running/m },
  start: {
    words: ['start', 'alice'],
    missing: ['start', missingUser],
    shows: /alice-container(: Running| is already running)/,
  },
  stop: {
    words: ['stop', 'power'],
    missing: ['stop', missingUser],
    shows: /power-container(: Stopped| is already stopped)/,
  },
  restart: { words: ['restart', 'alice'], missing: ['restart', missingUser], shows: /alice-container: Running/ },
  logs: {
    words: ['logs', 'alice'],
    missing: ['logs', missingUser],
    shows: /Startup finished|The console log is empty/,
    columns: ['line'],
  },
  export: { words: ['export', 'alice'], missing: ['export', missingUser], shows: /^Host alice-dev$/m },
  config: { words: ['config'], missing: ['config', missingUser], shows: /^Host alice-dev$/m },
  // A word after `keys` counts as the second word of a verb first.
  keys: {
    words: ['keys'],
    tooMany: 'unknown-command',
    missing: ['keys', missingUser],
    shows: /SHA256:/,
    columns: keyColumns,
  },
  'keys add': {
    words: ['keys', 'add'],
    stdin: () => keys.other.line,
    missing: ['keys', 'add', '--user', missingUser],
    shows: /alice: 1 key invited/,
    columns: tokenColumns,
  },
  'keys invite': {
    words: ['keys', 'invite'],
    missing: ['keys', 'invite', '--user', missingUser],
    shows: /^ssh -p \d+ invite-[a-z2-7]{32}@/m,
    columns: tokenColumns,
  },
  'keys remove': {
    words: ['keys', 'remove', 'other@laptop'],
    before: (run) => run(['key', 'add', 'alice'], keys.other.line),
    missing: ['keys', 'remove', 'SHA256:doesnotexist'],
    shows: /alice: 1 key removed/,
    columns: keyColumns,
  },
  'key add': {
    words: ['key', 'add', 'alice'],
    stdin: () => keys.alice.line,
    missing: ['key', 'add', missingUser],
    shows: /alice: nothing to change/,
    columns: keyColumns,
  },
  'key list': {
    words: ['key', 'list', 'alice'],
    missing: ['key', 'list', missingUser],
    shows: /SHA256:/,
    columns: keyColumns,
  },
  'key remove': {
    words: ['key', 'remove', 'alice', 'other@laptop'],
    before: (run) => run(['key', 'add', 'alice'], keys.other.line),
    missing: ['key', 'remove', 'alice', 'SHA256:doesnotexist'],
    shows: /alice: 1 key removed/,
    columns: keyColumns,
  },
  'key replace': {
    words: ['key', 'replace', 'alice'],
    stdin: () => keys.alice.line,
    missing: ['key', 'replace', missingUser],
    shows: /alice: nothing to change/,
    columns: keyColumns,
  },
  'admin add': {
    words: ['admin', 'add', 'carol'],
    stdin: () => keys.other.line,
    shows: /carol: (1 admin key added|nothing to change)/,
    columns: adminColumns,
  },
  'admin list': { words: ['admin', 'list'], shows: /^viewer +viewer/m, columns: adminColumns },
  'admin remove': {
    words: ['admin', 'remove', 'carol'],
    before: (run) => run(['admin', 'add', 'carol'], keys.other.line),
    missing: ['admin', 'remove', 'missing-admin'],
    shows: /carol: 1 admin key removed/,
    columns: adminColumns,
  },
  'admin role': {
    words: ['admin', 'role', 'carol', 'viewer'],
    before: (run) => run(['admin', 'add', 'carol'], keys.other.line),
    missing: ['admin', 'role', 'missing-admin', 'viewer'],
    shows: /carol: the role is (now viewer; it was|already viewer)/,
    columns: adminColumns,
  },
  'admin invite': {
    words: ['admin', 'invite', 'invited', '--role', 'viewer'],
    shows: /^ssh -p \d+ invite-[a-z2-7]{32}@JUMP-HOST$/m,
    columns: tokenColumns,
  },
  'key invite': {
    words: ['key', 'invite', 'alice'],
    missing: ['key', 'invite', missingUser],
    shows: /^ssh -p \d+ invite-[a-z2-7]{32}@JUMP-HOST$/m,
    columns: tokenColumns,
  },
  'invite list': {
    words: ['invite', 'list'],
    before: (run) => run(['key', 'invite', 'alice']),
    shows: /^[0-9a-f]{12} +container +alice/m,
    columns: invitationColumns,
  },
  'invite cancel': {
    words: ['invite', 'cancel', 'power'],
    before: (run) => run(['key', 'invite', 'power']),
    missing: ['invite', 'cancel', missingUser],
    shows: /^1 invitation cancelled: power$/m,
    columns: invitationColumns,
  },
  'ca add': {
    words: ['ca', 'add', 'branch', '--for', 'both'],
    stdin: () => keys.branch.line,
    before: (run) => run(['ca', 'remove', 'branch']).catch(() => undefined),
    shows: /^branch: added for manage@ and self@$/m,
    columns: authorityColumns,
  },
  'cert generate': {
    words: ['cert', 'generate', '--server-ip', '192.0.2.1', '--replace'],
    shows: /^Certificate for root-admin, valid until .*, serial [0-9a-f]{32}$/m,
  },
  'cert generate-with-ca': {
    words: ['cert', 'generate-with-ca', '--server-name', 'jump.example.org', '--replace'],
    stdin: () => testAuthority,
    shows: /^Certificate for root-admin, valid until /m,
  },
  'cert issue': {
    words: ['cert', 'issue', 'root-admin', '--expires', '90d'],
    before: certificates,
    missing: ['cert', 'issue', missingUser],
    shows: /^Certificate for root-admin, valid until [^]*-----BEGIN PRIVATE KEY-----/m,
  },
  'cert list': {
    words: ['cert', 'list'],
    before: certificates,
    shows: /^root-admin +valid +[^]*^Server certificate for 192\.0\.2\.1, valid until .*the remote interface is off/m,
    columns: certificateColumns,
  },
  'cert revoke': {
    words: ['cert', 'revoke', 'root-admin'],
    before: certificates,
    missing: ['cert', 'revoke', missingUser],
    shows: /^Done: 1 certificate revoked$/m,
    columns: certificateColumns,
  },
  'cert renew': {
    words: ['cert', 'renew', '--server-name', 'other.example.org'],
    before: certificates,
    shows: /^Done: the server has a new certificate$/m,
    columns: certificateColumns,
  },
  'ca list': {
    words: ['ca', 'list'],
    before: office,
    shows: /^office +manage +ssh-ed25519/m,
    columns: authorityColumns,
  },
  'ca revoke': {
    words: ['ca', 'revoke', 'office', '--serial', '17'],
    before: office,
    missing: ['ca', 'revoke', missingUser, '--serial', '17'],
    shows: /^office: revoked: serial 17$/m,
    columns: authorityColumns,
  },
  'ca remove': {
    words: ['ca', 'remove', 'office'],
    before: office,
    missing: ['ca', 'remove', missingUser],
    shows: /^office: removed/m,
    columns: authorityColumns,
  },
  audit: {
    words: ['audit', '--limit', '5'],
    shows: /^ *SEQ +TIME +ACTOR/,
    columns: ['seq', 'time', 'actor', 'type', 'verb', 'target', 'outcome', 'detail', 'entryPoint'],
  },
  'audit verify': { words: ['audit', 'verify'], shows: /^Journal intact: \d+ records/ },
  'audit export': {
    words: ['audit', 'export', '--limit', '5'],
    shows: /^\{"seq":\d+,.*"hash":"[0-9a-f]{64}"\}$/m,
    columns: ['seq', 'time', 'actor', 'type', 'verb', 'target', 'outcome', 'detail', 'entryPoint'],
  },
  reconcile: {
    words: ['reconcile'],
    shows: /^No differences: \d+ containers/,
    columns: ['kind', 'target', 'detail', 'fix', 'fixed'],
  },
  'image build': { words: ['image', 'build'], shows: /^Image .* built in/ },
  'image list': {
    words: ['image', 'list'],
    shows: /^ALIAS +BASE/,
    columns: ['alias', 'base', 'size_bytes', 'created_at', 'current', 'fingerprint'],
  },
  doctor: { words: ['doctor'], shows: /^journal +ok/m, columns: ['check', 'severity', 'detail', 'next'] },
  'host-key': {
    words: ['host-key'],
    tooMany: 'unknown-command',
    shows: /^present +ssh-ed25519 +SHA256:/m,
    columns: hostKeyColumns,
  },
  'host-key rotate': {
    words: ['host-key', 'rotate'],
    before: (run) => run(['host-key', 'switch', '--yes']).catch(() => undefined),
    shows: /^SHA256:\S{43} is the next host key$/m,
    columns: hostKeyColumns,
  },
  'host-key switch': {
    words: ['host-key', 'switch', '--yes'],
    before: (run) => run(['host-key', 'rotate']).catch(() => undefined),
    // After the switch there is no next key.
    missing: ['host-key', 'switch'],
    missingCode: 'wrong-state',
    shows: /^SHA256:\S{43} is now the present host key$/m,
    columns: hostKeyColumns,
  },
  security: {
    words: ['security'],
    shows: /^Failed and refused logins: \d+ at this server, at the host's sshd: \d+$/m,
    columns: ['section', 'name', 'kind', 'address', 'at', 'count', 'detail'],
  },
  'session list': {
    words: ['session', 'list'],
    shows: /^[0-9A-Z]{26} +\S+ +admin +manage/m,
    columns: ['session', 'name', 'role', 'entry_point', 'fingerprint', 'since', 'address', 'shells', 'containers'],
  },
  'session kick': {
    words: ['session', 'kick', 'viewer'],
    before: async () => {
      void server.startSsh([], { key: keys.viewer.path, options: ['-N'] });
      await eventually(
        async () => (await server.local(['session', 'list'])).stdout.includes(' viewer ') || undefined,
        'a session of the viewer',
      );
    },
    missing: ['session', 'kick', missingUser],
    shows: /^[12] sessions? ended: viewer$/m,
    columns: ['session', 'name'],
  },
  'ban list': {
    words: ['ban', 'list'],
    before: (run) => run(['ban', 'add', '192.0.2.7', '--for', '1h', '--reason', 'scans']),
    shows: /^192\.0\.2\.7 +ban .* root-admin +scans$/m,
    columns: banColumns,
  },
  'ban add': {
    words: ['ban', 'add', '2001:db8::/48'],
    missing: ['ban', 'add', '127.0.0.0/8'],
    missingCode: 'confirmation-required',
    shows: /^2001:db8::\/48 is banned$/m,
    columns: banColumns,
  },
  'ban lift': {
    words: ['ban', 'lift', '192.0.2.0/24'],
    before: (run) => run(['ban', 'add', '192.0.2.0/24']),
    missing: ['ban', 'lift', '198.51.100.1'],
    shows: /^192\.0\.2\.0\/24 may connect again$/m,
    columns: banColumns,
  },
  who: { words: ['who'], shows: /Nobody has a shell open/, columns: ['name', 'entry_point', 'since', 'address'] },
  say: { words: ['say', 'hello'], shows: /Nobody else has a shell open/ },
  whoami: { words: ['whoami'], shows: /^ {2}Name: +root-admin$/m },
  version: { words: ['version'], shows: /^ {2}containarium: \d+\.\d+\.\d+/m },
};

beforeAll(async () => {
  const folder = await temporaryFolder();
  for (const name of ['admin', 'viewer', 'operator', 'alice', 'other', 'ca', 'branch'] as const)
    keys[name] = await makeKey(folder, name);
  const made = await makeAuthority(
    { commonName: 'Test CA', organization: 'Test' },
    { notBefore: new Date(), notAfter: new Date(Date.now() + 86_400_000) },
  );
  testAuthority = made.certificate + made.key;
  backups = await temporaryFolder();
  server = await startServer({
    config: { backups: { directory: backups }, alerts: { mail: ['root@localhost'] } },
    prepare: withAdmins([
      { name: 'root-admin', role: 'admin', keys: [keys.admin] },
      { name: 'viewer', role: 'viewer', keys: [keys.viewer] },
      { name: 'operator', role: 'operator', keys: [keys.operator] },
    ]),
  });
  await succeed(['create', 'alice'], keys.alice.line);
  await succeed(['create', 'power'], keys.other.line);
});

/** Runs a command over the shared connection of its caller. */
function ssh(words: readonly string[], options: SshCommandOptions = {}): Promise<Finished> {
  return server.ssh(words, { shared: true, key: keys.admin.path, ...options });
}

async function succeed(words: readonly string[], stdin?: string): Promise<void> {
  const { code, stderr } = await ssh(words, stdin === undefined ? {} : { stdin });
  if (code !== 0) throw new Error(`"${words.join(' ')}" ended with ${code}: ${stderr}`);
}

/** Returns a caller who may use the verb: an admin, or an owner for verbs of `self@` only. */
function callerOf(name: VerbName): SshCommandOptions {
  return verbNamed(name).access.manage === undefined ? { user: 'self', key: keys.alice.path } : {};
}

interface Document {
  readonly ok: boolean;
  readonly command: string;
  readonly host: unknown;
  readonly result?: unknown;
  readonly error?: {
    readonly code: FailureCode;
    readonly exitCode: number;
    readonly what: string;
    readonly why: string;
  };
}

/** Returns the document on standard output. Throws unless there is exactly one. */
function documentOf(stdout: string, format: string): Document {
  if (format === 'json') return JSON.parse(stdout) as Document;
  const documents = parseAllDocuments(stdout);
  if (!Array.isArray(documents)) throw new Error('there is no document');
  expect(documents).toHaveLength(1);
  expect(documents[0]?.errors).toEqual([]);
  return documents[0]?.toJS() as Document;
}

const hostTag = { kind: 'simulated', simulated: true, why: 'the configuration asks for it' };
const documents = [
  ['json', '--json'],
  ['json', '--format=json'],
  ['yaml', '--format yaml'],
] as const;

const verbs = verbNames.filter(
  (name): name is Tried => name !== 'help' && name !== 'shell' && name !== 'backup download',
);

/** Verbs whose answer may have no rows. */
const mayBeEmpty: ReadonlySet<string> = new Set(['alert list', 'reconcile', 'resize', 'who', 'ca remove']);

describe.each(verbs)('%s', (name) => {
  const found = cases[name];

  async function run(...options: string[]): Promise<Finished> {
    await found.before?.(succeed);
    return ssh([...found.words, ...options], {
      ...callerOf(name),
      ...(found.stdin === undefined ? {} : { stdin: found.stdin() }),
    });
  }

  test('has a case in this test', () => {
    expect(found).toBeDefined();
  });

  test('answers a person', async () => {
    const { stdout, stderr, code } = await run();
    expect(stderr).not.toMatch(/Error/);
    expect(stdout).toMatch(found.shows);
    expect(code).toBe(found.code ?? 0);
    // Progress and notes are not data.
    expect(stdout).not.toMatch(/simulated host:|✓/);
  });

  test.each(documents)('answers with one %s document (%s)', async (format, option) => {
    const { stdout, code } = await run(...option.split(' '));
    expect(documentOf(stdout, format)).toMatchObject({
      ok: true,
      command: name,
      host: hostTag,
      result: expect.anything() as unknown,
    });
    expect(code).toBe(found.code ?? 0);
  });

  test('answers with CSV', async () => {
    const { stdout, code } = await run('--format', 'csv');
    // A quoted value may have line ends (RFC 4180).
    const [header = '', ...rows] = stdout
      .trimEnd()
      .replaceAll(/"(?:[^"]|"")*"/g, 'quoted')
      .split('\n');
    expect(header).toMatch(/^[\w.-]+(,[\w.-]+)*$/);
    if (found.columns !== undefined) {
      expect(header.split(',')).toEqual(found.columns);
      if (!mayBeEmpty.has(name)) expect(rows).not.toHaveLength(0);
    } else {
      expect(rows).toHaveLength(1);
    }
    expect(code).toBe(found.code ?? 0);
  });

  test('answers every refusal with one document, a sentence for a person, and the same exit code', async () => {
    const caller = callerOf(name);
    const typo = [...found.words.slice(0, name.split(' ').length - 1), `${found.words[name.split(' ').length - 1]}x`];
    const refusals: Refusal[] = [
      { words: [...found.words, '--no-such-option'], code: 'unknown-option', caller },
      // A verb that takes the rest of the line never has too many words.
      ...(verbNamed(name).parameters.some((p) => p.kind === 'argument' && p.rest)
        ? []
        : [
            {
              words: [...found.words, 'one-word', 'too', 'many', 'of', 'them'],
              code: found.tooMany ?? 'usage',
              caller,
            } as const,
          ]),
      { words: [...found.words, ';', 'list'], code: 'shell-syntax', caller },
      // `keys` takes a user, so a misspelt second word counts as a user.
      { words: typo, code: name.startsWith('keys ') ? 'not-found' : 'unknown-command', caller },
      ...(found.missing === undefined
        ? []
        : [{ words: found.missing, code: found.missingCode ?? 'not-found', caller } as const]),
      ...strangers
        .filter(({ entryPoint, role }) => !mayUse(verbNamed(name), entryPoint, role))
        .map(({ options }) => ({ words: found.words, code: 'denied', caller: options() }) as const),
    ];
    // The formats do not depend on the reason, so only the first refusal is checked in all of them.
    const all = [...documents.slice(1), ['csv', '--format=csv']] as const;
    // Three at a time, because a connection has at most ten sessions.
    for (let at = 0; at < refusals.length; at += 3) {
      await Promise.all(
        refusals
          .slice(at, at + 3)
          .map((refusal, i) => isRefused(refusal, found.stdin?.(), at + i === 0 ? all : [documents[0]])),
      );
    }
  });
});

interface Refusal {
  readonly words: readonly string[];
  readonly code: FailureCode;
  readonly caller: SshCommandOptions;
}

const strangers = [
  { entryPoint: 'manage', role: 'viewer', options: () => ({ key: keys.viewer.path }) },
  { entryPoint: 'manage', role: 'operator', options: () => ({ key: keys.operator.path }) },
  { entryPoint: 'self', role: 'owner', options: () => ({ user: 'self', key: keys.alice.path }) },
] as const;

/**
 * Expects a refusal as sentences on standard error for a person, as one document on standard output for a program, and
 * with the same exit code in every format.
 */
async function isRefused(
  { words, code, caller }: Refusal,
  stdin: string | undefined,
  formats: readonly (readonly [string, string])[],
): Promise<void> {
  const options = { ...caller, ...(stdin === undefined ? {} : { stdin }) };
  const what = words.join(' ');
  const expected = exitCodes[failureCodes[code]];

  const person = await ssh(words, options);
  expect(person.stdout, what).toBe('');
  expect(person.stderr, what).toMatch(/^Error: [^\n]+ \([a-z-]+\)\n(Next: [^\n]+\n)?$/);
  expect(person.stderr, what).toContain(`(${code})`);
  expect(person.code, what).toBe(expected);

  for (const [format, option] of formats) {
    const { stdout, stderr, code: exit } = await ssh([option, ...words], options);
    if (format === 'csv') expect(stdout, what).toBe('');
    else {
      expect(documentOf(stdout, format), what).toMatchObject({
        ok: false,
        host: hostTag,
        error: { code, exitCode: expected },
      });
      expect(stderr, what).toBe('');
    }
    expect(exit, what).toBe(expected);
  }
}

describe('help', () => {
  test('lists exactly the verbs that the caller may use', async () => {
    for (const [options, entryPoint, role] of [
      [{}, 'manage', 'admin'],
      [{ key: keys.viewer.path }, 'manage', 'viewer'],
      [{ key: keys.operator.path }, 'manage', 'operator'],
      [{ user: 'self', key: keys.alice.path }, 'self', 'owner'],
    ] as const) {
      const expected = verbNames.filter((name) => mayUse(verbNamed(name), entryPoint, role)).sort();
      for (const [format, option] of documents) {
        const { stdout, code } = await ssh(['help', option], options);
        expect(code).toBe(0);
        const { ok, host, result } = documentOf(stdout, format) as {
          ok: boolean;
          host: unknown;
          result: { verbs: { name: string }[]; exitCodes: unknown[] };
        };
        expect(ok).toBe(true);
        expect(host).toEqual(hostTag);
        expect(result.verbs.map((verb) => verb.name).sort()).toEqual(expected);
        expect(result.exitCodes).toHaveLength(Object.keys(exitCodes).length);
      }
      const { stdout } = await ssh(['help'], options);
      expect([...stdout.matchAll(/^ {2}([a-z -]+)[:,]/gm)].map((match) => match[1]).sort()).toEqual(expected);
    }
  });

  test.each(verbNames)('has a page for %s', async (name) => {
    const caller = callerOf(name);
    const { stdout, code } = await ssh(['help', name], caller);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: ssh -p ${server.port} (manage|self)@127\\.0\\.0\\.1 ${name}`));
    expect(stdout).toContain(verbNamed(name).examples[0]?.line);
  });

  test('is an error for a verb that does not exist', async () => {
    const { stdout, code } = await ssh(['help', 'nonsense', '--json']);
    expect(code).toBe(2);
    expect(documentOf(stdout, 'json')).toMatchObject({
      ok: false,
      host: hostTag,
      error: { code: 'unknown-command', exitCode: 2 },
    });
  });
});

describe('a misspelt word', () => {
  test.each([
    [['lsit'], 'list'],
    [['creat', 'x'], 'create'],
    [['list', '--stat', 'running'], '--state'],
    [['create', 'x', '--memroy', '1GiB'], '--memory'],
    [['key', 'ad', 'alice'], 'key add'],
    [['audit', 'verfy'], 'audit verify'],
    [['resize', 'alice', '--disk-qouta', '1GiB'], '--disk-quota'],
  ])('is answered with the correct spelling: %j', async (words, meant) => {
    const { stderr, code } = await ssh(words);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`Next: did you mean "?${meant}"?\\?`));
  });
});
