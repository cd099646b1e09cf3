/** Settings of the SSH server. */
import * as z from 'zod';
import { networkText, timeMs } from './types.ts';

export const sshSettings = z
  .strictObject({
    identificationMs: z
      .number()
      .int()
      .min(100)
      .default(10_000)
      .describe('Time within which a client must send its SSH identification string (RFC 4253, section 4.2).'),
    loginGraceMs: z
      .number()
      .int()
      .min(1000)
      .default(20_000)
      .describe(
        'Time within which a client must log in, and later complete each rekeying. LoginGraceTime in sshd_config(5) defaults to two minutes, because users type passwords there.',
      ),
    pendingLogins: z
      .strictObject({
        start: z
          .number()
          .int()
          .min(1)
          .max(100_000)
          .default(100)
          .describe('Number of pending logins at which random rejection begins.'),
        ratePercent: z
          .number()
          .int()
          .min(0)
          .max(100)
          .default(30)
          .describe('Share of connections rejected at `start`, in percent. It grows linearly to 100 at `full`.'),
        full: z
          .number()
          .int()
          .min(1)
          .max(100_000)
          .default(300)
          .describe('Number of pending logins at which every new connection is rejected.'),
        perSource: z
          .number()
          .int()
          .min(1)
          .max(100_000)
          .default(30)
          .describe(
            'Limit for one source: an IPv4 address, or the /64 network of an IPv6 address (PerSourceMaxStartups, with PerSourceNetBlockSize 32:64).',
          ),
      })
      .refine(({ start, full }) => start <= full, 'start is greater than full')
      .prefault({})
      .describe(
        'Limits of pending logins, that is, of connections that have not logged in yet (MaxStartups in sshd_config(5)). The default is higher than that of sshd, 10:30:100: in sshd each such connection is a process, here only some memory. A source from which a user has logged in within the last hour keeps `perSource` reserved slots.',
      ),
    penalties: z
      .strictObject({
        failedLoginMs: timeMs.default(5000).describe('For a connection whose login attempts failed (`authfail`).'),
        noLoginMs: timeMs.default(1000).describe('For a connection that made no login attempt (`noauth`).'),
        lateMs: timeMs
          .default(10_000)
          .describe('For a connection that did not log in within `ssh.loginGraceMs` (`grace-exceeded`).'),
        violationMs: timeMs
          .default(10_000)
          .describe('For a connection that violated the protocol. The closest match in sshd is `crash`, 90 s.'),
        minMs: timeMs
          .default(15_000)
          .describe('Sum that the times of a source must exceed before its connections are rejected (`min`).'),
        maxMs: z
          .number()
          .int()
          .min(1000)
          .max(604_800_000)
          .default(600_000)
          .describe('Longest penalty (`max`). A penalty is also remembered for this long after its end.'),
        maxSources: z
          .number()
          .int()
          .min(1)
          .max(1_000_000)
          .default(65_536)
          .describe('Number of sources remembered (`max-sources4`, `max-sources6`).'),
        overflow: z
          .enum(['permissive', 'deny-all'])
          .default('permissive')
          .describe(
            'What happens beyond `maxSources` (`overflow`): `permissive` forgets the oldest source, `deny-all` rejects every new connection.',
          ),
        exempt: z
          .array(networkText)
          .max(1000)
          .default([])
          .describe(
            'Addresses and networks that are never penalised (PerSourcePenaltyExemptList). An admin can still ban them.',
          ),
      })
      .refine(({ minMs, maxMs }) => minMs <= maxMs, 'minMs is greater than maxMs')
      .prefault({})
      .describe(
        'Penalties for connections that end without a login, as PerSourcePenalties in sshd_config(5) (OpenSSH 9.8; its names are in parentheses). Each such connection adds a time to its source; when the sum exceeds `minMs`, connections from the source are rejected for as long as that sum. Each penalty is twice as long as the last one that is remembered. A source is not penalised while a user is logged in from it.',
      ),
    maxAuthTries: z
      .number()
      .int()
      .min(1)
      .max(100)
      .default(6)
      .describe('Number of failed login attempts after which a connection is closed (MaxAuthTries in sshd_config(5)).'),
    maxSessions: z
      .number()
      .int()
      .min(1)
      .max(100)
      .default(10)
      .describe('Number of open sessions on one connection (MaxSessions in sshd_config(5)).'),
    stdinMs: z
      .number()
      .int()
      .min(1000)
      .default(60_000)
      .describe('Time within which a verb must receive its standard input.'),
    unusedMs: timeMs
      .max(2_147_483_647)
      .default(900_000)
      .describe(
        'Time after which a connection with a login but without a session is closed; 0 for never (UnusedConnectionTimeout in sshd_config(5), which defaults to never). It also closes a ControlMaster connection with a longer ControlPersist.',
      ),
    idleMs: timeMs
      .default(28_800_000)
      .describe(
        'Time after which a shell is closed if nothing is typed and nothing runs; 0 for never. The shell shows a warning one minute before, or a tenth of the time before if that is shorter. In a terminal session in a container, output counts as activity too.',
      ),
    unreadMs: timeMs
      .default(3_600_000)
      .describe(
        'Time after which a connection is closed whose client takes none of the output that waits for it; 0 for never. A client that reads, however slowly, and one that waits for output are not closed.',
      ),
    maxSessionMs: timeMs
      .default(0)
      .describe(
        'Longest duration of a login, active or not; 0 for no limit. Its shells show the same warning. Running operations are not interrupted.',
      ),
    keyExchange: z
      .enum(['fallback', 'post-quantum'])
      .default('fallback')
      .describe(
        '`fallback` prefers the post-quantum key exchange (mlkem768x25519-sha256), and accepts curve25519 from clients that do not support it. `post-quantum` rejects those clients, among them OpenSSH before 9.9.',
      ),
    rekeyBytes: z
      .number()
      .int()
      .min(16_384)
      .max(2 ** 34)
      .default(2 ** 30)
      .describe('Bytes in both directions after which a connection is rekeyed (RFC 4253, section 9).'),
    rekeyMs: z
      .number()
      .int()
      .min(1000)
      .max(86_400_000)
      .default(3_600_000)
      .describe('Time after which a connection is rekeyed (RFC 4253, section 9).'),
    touchBeforeDeleteMs: z
      .number()
      .int()
      .min(0)
      .max(86_400_000)
      .default(0)
      .describe(
        '`delete` over ssh requires a login with a FIDO key (`sk-…`) that was touched within this time, for example 300000 for five minutes; 0 requires no touch. It does not apply to the command line on the host.',
      ),
  })
  .prefault({})
  .describe('The SSH server on port 2222. Times are in milliseconds.');
