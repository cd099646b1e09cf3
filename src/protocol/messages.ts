/**
 * What core and front say to each other, and to local clients: requests, a stream of events for each, cancellation, and
 * the index of who may log in. JSON-RPC 2.0 with vscode-jsonrpc; every message is checked by these schemas on the side
 * that must not trust it.
 */
import {
  CancellationTokenSource,
  NotificationType,
  NotificationType0,
  RequestType,
  RequestType0,
  type CancellationToken,
} from 'vscode-jsonrpc';
import { z } from 'zod';
import { entryPoints, roles, type Actor } from '../domain/access/actor.ts';
import { penaltyReasonNames } from '../domain/access/ban.ts';
import type { Directory } from '../domain/access/directory.ts';
import { unsupportedRequestNames } from '../domain/access/unsupportedRequest.ts';
import {
  maxCountedSources,
  maxPorts,
  refusalReasonNames,
  triedEntryPoints,
  type RefusalReport,
} from '../domain/access/refusal.ts';
import type { Notice, Welcome } from '../domain/events/notice.ts';
import { candidateKinds, type Candidate } from '../domain/events/candidate.ts';
import type { CallEvent } from '../domain/events/callEvent.ts';

/** How often a front says that it is alive. */
export const aliveEveryMs = 500;

/** Chosen by the front for each open shell. */
const shell = z.string().min(1).max(64);
const side = z.number().int().min(1).max(1000);
const windowSize = z.strictObject({ columns: side, rows: side });

/** Who asks: a login that core has let in, as core named it. Who that is and what it may, core knows. */
const login = z.string().min(1).max(64);

/** Names as SSH has them (RFC 4251, section 6), of which core knows its own. */
const algorithmName = z.string().regex(/^[a-z0-9][a-z0-9@.+-]{0,63}$/i);
/** What a connection has agreed on: told, not proved. */
const transport = z.strictObject({ keyExchange: algorithmName, hostKey: algorithmName, cipher: algorithmName });

/** What a client showed to log in; core verifies it itself. */
export const proofRequest = z.strictObject({
  proof: z.strictObject({
    username: z.string().max(64),
    algorithm: z.string().max(64),
    blob: z.base64().max(16_384),
    sessionId: z.base64().max(128),
    signature: z.base64().max(8192),
  }),
  address: z.union([z.ipv4(), z.ipv6()]),
  transport: transport.optional(),
});
/** Over core's own socket, which only root can open. */
export const localRequest = z.strictObject({ name: z.string().max(64) });
export const loginEnd = z.strictObject({ login });
/** From core to the front. */
export const loginEnded = z.object({ login, reason: z.string() });

const refusalReason = z.enum(refusalReasonNames);
const refusalCount = z.number().int().min(1).max(1_000_000_000);
/** Who was not let in, since the last such report. */
export const refusalReport = z.strictObject({
  counted: z
    .array(
      z.strictObject({
        source: z.union([z.ipv4(), z.ipv6()]),
        reason: refusalReason,
        entryPoint: z.enum(triedEntryPoints).optional(),
        count: refusalCount,
        ports: z.array(z.number().int().min(0).max(65_535)).max(maxPorts),
      }),
    )
    .max(maxCountedSources),
  others: z.partialRecord(refusalReason, refusalCount),
});

/** What a login asked for that is not offered, since the last such report. */
export const unsupportedRequestReport = z.strictObject({
  login,
  counts: z.partialRecord(z.enum(unsupportedRequestNames), refusalCount),
});

/** What core tells whoever logs in about themselves. */
export const loggedIn = z.object({
  name: z.string(),
  role: z.enum(roles),
  entryPoint: z.enum(entryPoints),
  fingerprint: z.string().optional(),
  address: z.string().optional(),
  owns: z.array(z.string()).optional(),
  certificate: z.object({ ca: z.string(), keyId: z.string(), serial: z.string() }).optional(),
  login,
});

/** Whose the key is that was brought with an invitation. */
export const keyBound = z.object({ entryPoint: z.enum(['manage', 'self']), name: z.string(), fingerprint: z.string() });
export type KeyBound = z.infer<typeof keyBound>;

export const callRequest = z.strictObject({
  /** Chosen by the caller; its events carry it. */
  id: z.string().min(1).max(64),
  login,
  verb: z.string().max(64),
  /** As typed, not yet checked: core checks it against the verb's schema. */
  input: z.record(z.string().max(64), z.unknown()),
  /** The address of this server that the client reached: what an ssh configuration names in want of a better one. */
  reachedAt: z.string().max(64).optional(),
  /** The shell that makes the call; its own notices come back to it marked. */
  shell: shell.optional(),
  /** The caller's terminal, for verbs that hand it to a program in a container. */
  terminal: windowSize.extend({ type: z.string().max(64) }).optional(),
});
export type CallRequest = z.infer<typeof callRequest>;

export interface CallAnswer {
  readonly result: unknown;
  readonly journal?: { readonly seq: number; readonly hash: string };
}

/** An event of the call `id`. */
export interface CallEventMessage {
  readonly id: string;
  readonly event: CallEvent;
}

export const hostTag = z.object({ kind: z.enum(['incus', 'simulated']), simulated: z.boolean(), why: z.string() });

/** What a client of core learns when it connects. */
export const greeting = z.object({ version: z.string(), host: hostTag });
export type Greeting = z.infer<typeof greeting>;

const identity = z.object({
  blob: z.string(),
  type: z.string(),
  fingerprint: z.string(),
  admin: z
    .object({
      name: z.string(),
      role: z.enum(roles),
      limits: z.object({
        from: z.string().optional(),
        expiresAt: z.string().optional(),
        verifyRequired: z.boolean().optional(),
      }),
    })
    .optional(),
  owns: z.array(z.string()),
});

/** Who may log in. */
export const directory = z.object({
  identities: z.array(identity),
  cas: z.array(
    z.object({
      name: z.string(),
      entryPoints: z.array(z.enum(['manage', 'self'])),
      type: z.string(),
      blob: z.string(),
      revoked: z.object({
        serials: z.array(z.string()),
        keyIds: z.array(z.string()),
        fingerprints: z.array(z.string()),
      }),
    }),
  ),
  admins: z.array(z.object({ name: z.string(), role: z.enum(roles) })),
  users: z.array(z.string()),
  invitations: z.array(z.object({ hash: z.string(), expiresAtMs: z.number() })),
});

/** Given by an admin; the front refuses whoever comes from there. */
export const bans = z.array(
  z.object({
    network: z.string(),
    reason: z.string().nullable(),
    by: z.string(),
    at: z.string(),
    until: z.string().nullable(),
  }),
);
/** A penalty that the front has begun, told to core so that it outlasts the front. Milliseconds since 1970. */
export const begunPenalty = z.strictObject({
  source: z.string().max(64),
  why: z.enum(penaltyReasonNames),
  times: z.number().int().min(1).max(1_000_000),
  untilMs: z.number().int().min(0).max(8.64e15),
});
export const liftedPenalty = z.object({ source: z.string() });

/** What core gives the front to start with. */
export const frontStart = greeting.extend({
  /** Where the socket is bound that it was given. */
  listen: z.object({ address: z.string(), port: z.number() }),
  /** Private keys; the present one first, then the next one while a rotation is announced. */
  hostKeys: z.array(z.string()).min(1).max(2),
  directory,
  bans,
  penalties: z.array(begunPenalty),
  limits: z.object({
    identificationMs: z.number(),
    loginGraceMs: z.number(),
    pendingLogins: z.object({ start: z.number(), ratePercent: z.number(), full: z.number(), perSource: z.number() }),
    penalties: z.object({
      failedLoginMs: z.number(),
      noLoginMs: z.number(),
      lateMs: z.number(),
      violationMs: z.number(),
      minMs: z.number(),
      maxMs: z.number(),
      maxSources: z.number(),
      overflow: z.enum(['permissive', 'deny-all']),
      exempt: z.array(z.string()),
    }),
    maxAuthTries: z.number(),
    maxSessions: z.number(),
    stdinMs: z.number(),
    unusedMs: z.number(),
    idleMs: z.number(),
    maxSessionMs: z.number(),
  }),
  transport: z.object({
    keyExchange: z.enum(['fallback', 'post-quantum']),
    rekeyBytes: z.number(),
    rekeyMs: z.number(),
  }),
});
export type FrontStart = z.infer<typeof frontStart>;

export const roomEntry = z.strictObject({ shell, login });
export const roomExit = z.strictObject({ shell });
/** Asks for the live list, or to end it. */
export const feedSwitch = z.strictObject({ shell, open: z.boolean() });
export const candidatesRequest = z.strictObject({
  login,
  what: z.enum(candidateKinds),
  user: z.string().max(64).optional(),
});
export const typedLine = z.strictObject({ login, line: z.string().max(4096) });
export const settingsChange = z.strictObject({ login, settings: z.strictObject({ plain: z.boolean() }) });

/** Bytes of a terminal, base64; `id` is the call's. */
export const terminalBytes = z.strictObject({ id: z.string().max(64), data: z.base64().max(1_400_000) });
export const terminalHold = z.strictObject({ id: z.string().max(64), held: z.boolean() });
export const terminalSize = windowSize.extend({ id: z.string().max(64) });

export interface Listening {
  readonly address: string;
  readonly port: number;
}

export const messages = {
  greet: new RequestType0<Greeting, void>('greet'),
  prove: new RequestType<z.infer<typeof proofRequest>, Actor, unknown>('login/prove'),
  /** Binds the key that was shown with an invitation. */
  useInvitation: new RequestType<z.infer<typeof proofRequest>, KeyBound, unknown>('login/invitation'),
  local: new RequestType<z.infer<typeof localRequest>, Actor, unknown>('login/local'),
  logout: new NotificationType<z.infer<typeof loginEnd>>('login/out'),
  loginEnded: new NotificationType<z.infer<typeof loginEnded>>('login/ended'),
  refusals: new NotificationType<RefusalReport>('login/refusals'),
  unsupportedRequests: new NotificationType<z.infer<typeof unsupportedRequestReport>>('login/notOffered'),
  call: new RequestType<CallRequest, CallAnswer, unknown>('call'),
  event: new NotificationType<CallEventMessage>('event'),
  enter: new RequestType<z.infer<typeof roomEntry>, Welcome, unknown>('room/enter'),
  leave: new NotificationType<z.infer<typeof roomExit>>('room/leave'),
  notice: new NotificationType<{ shell: string; notice: Notice }>('room/notice'),
  feed: new RequestType<z.infer<typeof feedSwitch>, true, unknown>('room/feed'),
  candidates: new RequestType<z.infer<typeof candidatesRequest>, Candidate[], unknown>('shell/candidates'),
  typed: new NotificationType<z.infer<typeof typedLine>>('shell/typed'),
  settings: new RequestType<z.infer<typeof settingsChange>, true, unknown>('shell/settings'),
  /** core to caller: answered when the terminal has taken the bytes, so that a slow one slows the program down. */
  terminalOutput: new RequestType<z.infer<typeof terminalBytes>, true, unknown>('terminal/output'),
  terminalInput: new NotificationType<z.infer<typeof terminalBytes>>('terminal/input'),
  /** core to caller: whether what is typed is to stay there for a while. */
  terminalHold: new NotificationType<z.infer<typeof terminalHold>>('terminal/hold'),
  terminalResize: new NotificationType<z.infer<typeof terminalSize>>('terminal/resize'),
  directory: new NotificationType<Directory>('directory'),
  bans: new NotificationType<z.infer<typeof bans>>('bans'),
  penalised: new NotificationType<z.infer<typeof begunPenalty>>('bans/penalised'),
  penaltyLifted: new NotificationType<z.infer<typeof liftedPenalty>>('bans/lifted'),
  frontStart: new RequestType0<FrontStart, void>('front/start'),
  /** front to core: it accepts connections. */
  listening: new NotificationType0('front/listening'),
  failed: new NotificationType<{ reason: string }>('front/failed'),
  /**
   * front to core, every {@link aliveEveryMs} milliseconds: its event loop turns. Nobody answers, so that no queue of
   * messages stands in its way.
   */
  alive: new NotificationType0('front/alive'),
  drain: new NotificationType<{ reason: string }>('front/drain'),
} as const;

/** An AbortSignal as the protocol's cancellation. */
export function cancellation(signal: AbortSignal): CancellationToken {
  const source = new CancellationTokenSource();
  if (signal.aborted) source.cancel();
  else signal.addEventListener('abort', () => source.cancel(), { once: true });
  return source.token;
}

/** The protocol's cancellation as an AbortSignal. */
export function abortSignal(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  else token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
