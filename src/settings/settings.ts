/**
 * The configuration file: YAML, one explicit path, every key checked and documented here (docs/configuration.md is
 * generated from the descriptions). A daemon does not search for its configuration, and an unknown key is an error, not
 * a typo waiting to be found.
 */
import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { parseSize } from '../domain/values/size.ts';
import { parseImage } from '../domain/values/image.ts';
import { parseNetwork } from '../domain/values/network.ts';
import { parseAddressAndPort } from './listen.ts';

function parsed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}

// The titles are what docs/configuration.md calls the types.
const size = parsed(parseSize).meta({ title: 'size' });
const image = parsed(parseImage).meta({ title: 'image' });
const name = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/, 'letters, digits, dots, hyphens and underscores')
  .meta({ title: 'name' });
const groupName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'a group name of group(5)')
  .meta({ title: 'group name' });
const networkText = z
  .string()
  .refine((text) => {
    try {
      return parseNetwork(text).text !== '';
    } catch {
      return false;
    }
  }, 'an address or a network: 192.0.2.0/24, 2001:db8::/64')
  .meta({ title: 'network' });
/** A time that may be 0: never. */
const timeMs = z.number().int().min(0).max(31_536_000_000);
const absolutePath = z.string().startsWith('/', 'an absolute path').meta({ title: 'absolute path' });

export const settingsSchema = z.strictObject({
  listen: parsed(parseAddressAndPort)
    .meta({ title: 'address:port' })
    .prefault('0.0.0.0:2222')
    .describe(
      'Address and port of the SSH server. `CONTAINARIUM_LISTEN` overrides it. Port 0 takes a free one, which is printed.',
    ),
  host: z
    .enum(['auto', 'incus', 'simulated'])
    .default('auto')
    .describe(
      '`incus` is the real host, `simulated` a simulation in a file; `auto` takes Incus where it is reachable and usable at the first start, and stays with what it chose. `CONTAINARIUM_HOST` overrides it.',
    ),
  jump: z
    .strictObject({
      hostname: z
        .string()
        .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/, 'a host name or an address')
        .optional()
        .describe(
          'Name or address under which users reach this host. Without it: the address that the caller reached.',
        ),
      port: z.number().int().min(1).max(65_535).default(22).describe("Port of the host's own sshd, as users reach it."),
      group: groupName
        .default('containarium-jump')
        .describe('Primary group of all jump accounts; the sshd drop-in matches it.'),
      sshdConfig: absolutePath
        .default('/etc/ssh/sshd_config')
        .describe("Configuration of the host's sshd, which `doctor` asks what it would do for a jump account."),
      authorizedKeysFolder: absolutePath
        .optional()
        .describe(
          "Where the jump accounts' authorized_keys files are. Default: `authorized_keys` in the home of the server.",
        ),
      hostKeys: z
        .array(absolutePath)
        .default([
          '/etc/ssh/ssh_host_ed25519_key.pub',
          '/etc/ssh/ssh_host_ecdsa_key.pub',
          '/etc/ssh/ssh_host_rsa_key.pub',
        ])
        .describe(
          "Public host keys of the host's sshd, for the known_hosts lines of `export`. Missing files are passed over.",
        ),
    })
    .prefault({})
    .describe("The host's own sshd and the jump accounts."),
  incus: z
    .strictObject({
      pool: name
        .optional()
        .describe(
          "Storage pool for containers. Default: that of the root disk of Incus's default profile, or the only one there is.",
        ),
      network: name
        .optional()
        .describe('Managed bridge for containers. Default: that of the default profile, or the only one there is.'),
    })
    .prefault({})
    .describe('Where in Incus containers are put.'),
  defaults: z
    .strictObject({
      cpu: z.number().int().min(1).max(512).default(4).describe('CPUs of a container.'),
      memory: size.prefault('4GiB').describe('Memory of a container.'),
      disk: size.prefault('50GiB').describe('Size of the root disk; ignored where the pool has no quotas.'),
      autostart: z.boolean().default(true).describe('Start containers when the host boots.'),
      docker: z.boolean().default(true).describe('Allow Docker inside (`security.nesting`).'),
    })
    .prefault({})
    .describe('What `create` takes where it is not told otherwise.'),
  image: z
    .strictObject({
      base: image
        .prefault('images:ubuntu/24.04')
        .describe(
          'The image that the prepared image is built from: a remote image or a local alias, Debian or Ubuntu.',
        ),
      packages: z
        .array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/, 'a Debian package name'))
        .default(['openssh-server', 'sudo', 'docker.io', 'git', 'curl', 'vim', 'htop'])
        .describe('Packages of the prepared image. openssh-server and sudo are always added.'),
    })
    .prefault({})
    .describe('The prepared image.'),
  timeouts: z
    .strictObject({
      readyMs: z
        .number()
        .int()
        .min(1000)
        .default(120_000)
        .describe('How long a new or started container may take until its sshd answers.'),
      readMs: z.number().int().min(100).default(20_000).describe('Limit of one question to Incus.'),
      changeMs: z.number().int().min(100).default(60_000).describe('Limit of one change by Incus.'),
      copyMs: z
        .number()
        .int()
        .min(1000)
        .default(900_000)
        .describe('Limit of work that copies data: creating, publishing, installing packages.'),
    })
    .prefault({})
    .describe('Time limits in milliseconds. A program that runs longer is stopped, and its step undone.'),
  journal: z
    .strictObject({
      segmentBytes: z
        .number()
        .int()
        .min(65_536)
        .default(8 * 1024 * 1024)
        .describe('Size at which a new journal file is begun.'),
    })
    .prefault({})
    .describe('The audit journal.'),
  ssh: z
    .strictObject({
      identificationMs: z
        .number()
        .int()
        .min(100)
        .default(10_000)
        .describe('How long a connection may take to say that it speaks SSH (RFC 4253, section 4.2).'),
      loginGraceMs: z
        .number()
        .int()
        .min(1000)
        .default(20_000)
        .describe(
          'How long a connection may take to log in (LoginGraceTime of sshd_config(5), which is two minutes: nobody types a password here), and later for each change of its keys.',
        ),
      startups: z
        .strictObject({
          start: z
            .number()
            .int()
            .min(1)
            .max(100_000)
            .default(100)
            .describe('From so many connections on, some are refused.'),
          ratePercent: z
            .number()
            .int()
            .min(0)
            .max(100)
            .default(30)
            .describe('So many of a hundred; with more connections more, up to all at `full`.'),
          full: z.number().int().min(1).max(100_000).default(300).describe('From so many on, all are refused.'),
          perSource: z
            .number()
            .int()
            .min(1)
            .max(100_000)
            .default(30)
            .describe(
              'From one source: an IPv4 address, or the /64 of an IPv6 address (PerSourceMaxStartups and PerSourceNetBlockSize 32:64).',
            ),
        })
        .refine(({ start, full }) => start <= full, 'start is more than full')
        .prefault({})
        .describe(
          'Connections that have not logged in yet, as MaxStartups of sshd_config(5), which is 10:30:100: there each is a process, here some memory. A source that somebody has logged in from within the hour keeps `perSource` places of its own.',
        ),
      penalties: z
        .strictObject({
          failedLoginMs: timeMs.default(5000).describe('A connection that tried to log in and did not (`authfail`).'),
          noLoginMs: timeMs.default(1000).describe('One that did not try (`noauth`).'),
          lateMs: timeMs.default(10_000).describe('One that did not log in in time (`grace-exceeded`).'),
          violationMs: timeMs
            .default(10_000)
            .describe('One that broke the protocol; for sshd that is a `crash`, of 90 s.'),
          minMs: timeMs.default(15_000).describe('What has to add up before anything is refused (`min`).'),
          maxMs: z
            .number()
            .int()
            .min(1000)
            .max(604_800_000)
            .default(600_000)
            .describe('The longest penalty, and how long after its end it is remembered (`max`).'),
          mostSources: z
            .number()
            .int()
            .min(1)
            .max(1_000_000)
            .default(65_536)
            .describe('Sources that are remembered (`max-sources4`, `max-sources6`).'),
          overflow: z
            .enum(['permissive', 'deny-all'])
            .default('permissive')
            .describe('When there are more: the oldest are forgotten, or nobody is let in (`overflow`).'),
          exempt: z
            .array(networkText)
            .max(1000)
            .default([])
            .describe(
              'Addresses and networks that are never penalised (PerSourcePenaltyExemptList). Bans that an admin gives count there too.',
            ),
        })
        .refine(({ minMs, maxMs }) => minMs <= maxMs, 'minMs is more than maxMs')
        .prefault({})
        .describe(
          'How long a source is refused for connections without a login, as PerSourcePenalties of sshd_config(5) (OpenSSH 9.8). Each penalty is twice as long as the one before it that is remembered. Logins are never penalised, nor sources that somebody is logged in from.',
        ),
      maxAuthTries: z
        .number()
        .int()
        .min(1)
        .max(100)
        .default(6)
        .describe('Failed attempts after which a connection is closed (as in sshd_config(5)).'),
      maxSessions: z
        .number()
        .int()
        .min(1)
        .max(100)
        .default(10)
        .describe('Sessions on one connection at the same time (as in sshd_config(5)).'),
      stdinMs: z.number().int().min(1000).default(60_000).describe('How long a verb waits for its standard input.'),
      unusedMs: timeMs
        .max(2_147_483_647)
        .default(900_000)
        .describe(
          'How long a connection may be logged in without a session (UnusedConnectionTimeout of sshd_config(5), which is never); 0 is never. A ControlMaster with a longer ControlPersist ends by it.',
        ),
      idleMs: timeMs
        .default(28_800_000)
        .describe(
          'How long a shell may be open in which nothing is typed and nothing runs; 0 is never. It is warned a minute before, or a tenth of the time. In a program in a container its output counts too.',
        ),
      maxSessionMs: timeMs
        .default(0)
        .describe(
          'How long a login may last, whatever it does; 0 is never. Its shells are warned as above. Operations go on.',
        ),
      keyExchange: z
        .enum(['fallback', 'post-quantum'])
        .default('fallback')
        .describe(
          '`fallback` prefers the post-quantum key exchange (mlkem768x25519-sha256) and takes curve25519 from clients without it; `post-quantum` refuses those: OpenSSH before 9.9, among others.',
        ),
      rekeyBytes: z
        .number()
        .int()
        .min(16_384)
        .max(2 ** 34)
        .default(2 ** 30)
        .describe('Bytes on a connection, in both directions, after which its keys are changed (RFC 4253, section 9).'),
      rekeyMs: z
        .number()
        .int()
        .min(1000)
        .max(86_400_000)
        .default(3_600_000)
        .describe('Time after which the keys of a connection are changed (RFC 4253, section 9).'),
      touchBeforeDeleteMs: z
        .number()
        .int()
        .min(0)
        .max(86_400_000)
        .default(0)
        .describe(
          '`delete` over ssh is only done this soon after a login with a FIDO key (`sk-…`) that was touched for it: 300000 are five minutes. 0: no touch is wanted. The command line on the host is not concerned.',
        ),
    })
    .prefault({})
    .describe('The SSH server on port 2222.'),
  metrics: z
    .strictObject({
      listen: parsed(parseAddressAndPort)
        .meta({ title: 'address:port' })
        .optional()
        .describe(
          'Where Prometheus may ask for figures (`GET /metrics`, plain HTTP), for example `127.0.0.1:9187`. Without it nothing listens: whoever has an account on this host could read them.',
        ),
      anyAddress: z
        .boolean()
        .default(false)
        .describe("Allow an address that is not the loopback's. There is no password and no encryption."),
    })
    .refine(
      ({ listen, anyAddress }) => listen === undefined || anyAddress || /^(127\.|::1$)/.test(listen.address),
      'metrics.listen is not a loopback address; metrics.anyAddress allows that',
    )
    .prefault({})
    .describe('Figures for Prometheus.'),
});

export type Settings = z.output<typeof settingsSchema>;

/** Checks a configuration document (already parsed); `source` names it in errors. */
export function checkSettings(document: unknown, source: string): Settings {
  const result = settingsSchema.safeParse(document ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Failure('settings', {
    what: `configuration ${source}`,
    why: issue === undefined ? 'it is not valid' : `${issue.path.join('.') || 'the document'}: ${issue.message}`,
    next: 'docs/configuration.md lists every key',
  });
}

/** Reads the configuration file; a file that was named must exist, the default one need not. */
export async function readSettings(path: string, named: boolean): Promise<Settings> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!named && error instanceof Error && 'code' in error && error.code === 'ENOENT') return checkSettings({}, path);
    throw new Failure(
      'settings',
      { what: `configuration ${path}`, why: error instanceof Error ? error.message : String(error) },
      error,
    );
  }
  let document: unknown;
  try {
    document = parseYaml(text);
  } catch (error) {
    throw new Failure(
      'settings',
      {
        what: `configuration ${path}`,
        why: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
      },
      error,
    );
  }
  return checkSettings(document, path);
}
