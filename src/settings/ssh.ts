/** Settings of the SSH server on port 2222. */
import { z } from 'zod';
import { networkText, timeMs } from './types.ts';

export const sshSettings = z
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
    pendingLogins: z
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
        maxSources: z
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
  .describe('The SSH server on port 2222.');
