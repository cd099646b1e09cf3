/**
 * The messages between core, the front and the remote process: JSON-RPC 2.0 with vscode-jsonrpc. The side that does not
 * trust the sender checks every message against these schemas.
 */
import {
  CancellationTokenSource,
  NotificationType,
  NotificationType0,
  RequestType,
  RequestType0,
  type CancellationToken,
} from 'vscode-jsonrpc';
import * as z from 'zod';
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

/** Interval of the front's signs of life, in milliseconds. */
export const aliveEveryMs = 500;

/** The id of an open shell, chosen by the front. */
const shell = z.string().min(1).max(64);
const side = z.number().int().min(1).max(1000);
const windowSize = z.strictObject({ columns: side, rows: side });

/** The id of a login, chosen by core. core knows whose login it is and what it may do. */
const login = z.string().min(1).max(64);

/** An algorithm name of SSH (RFC 4251, section 6). */
const algorithmName = z.string().regex(/^[a-z0-9][a-z0-9@.+-]{0,63}$/i);
/** The algorithms that a connection negotiated: the front's claim, not proved. */
const transport = z.strictObject({ keyExchange: algorithmName, hostKey: algorithmName, cipher: algorithmName });

/** A client's proof of possession of its key. core verifies it itself. */
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
/** A client of the remote interface that has proved in its TLS handshake that it has the key of its certificate. */
export const remoteLogin = z.strictObject({
  certificate: z.base64().max(16_384),
  address: z.union([z.ipv4(), z.ipv6()]),
  tls: z.enum(['TLSv1.2', 'TLSv1.3']),
});
/** A client of a remote interface without TLS. */
export const insecureLogin = z.strictObject({ address: z.union([z.ipv4(), z.ipv6()]) });
export const loginEnd = z.strictObject({ login });
/** core to front: core has ended the login. */
export const loginEnded = z.object({ login, reason: z.string() });

const refusalReason = z.enum(refusalReasonNames);
const refusalCount = z.number().int().min(1).max(1_000_000_000);
/** The rejected connections and logins since the last report. */
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

/** The unsupported requests of a login since the last report. */
export const unsupportedRequestReport = z.strictObject({
  login,
  counts: z.partialRecord(z.enum(unsupportedRequestNames), refusalCount),
});

/** core's answer to a login: its actor. */
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

/** The new owner of a key that was bound with an invitation. */
export const keyBound = z.object({ entryPoint: z.enum(['manage', 'self']), name: z.string(), fingerprint: z.string() });
export type KeyBound = z.infer<typeof keyBound>;

export const callRequest = z.strictObject({
  /** Chosen by the caller. The call's events carry it. */
  id: z.string().min(1).max(64),
  login,
  verb: z.string().max(64),
  /** Unchecked. core checks it against the verb's schema. */
  input: z.record(z.string().max(64), z.unknown()),
  /** Asks for the plan of the call instead of the call. */
  plan: z.boolean().optional(),
  /**
   * The address of this server that the client connected to. Used in ssh configurations if no hostname is configured.
   */
  reachedAt: z.string().max(64).optional(),
  /** The shell that makes the call. It uses this to recognise the notices about its own calls. */
  shell: shell.optional(),
  /** The caller's terminal, for verbs that run a terminal session. */
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

const hostTag = z.object({ kind: z.enum(['incus', 'simulated']), simulated: z.boolean(), why: z.string() });

/** core's answer to a client that connects. */
export const greeting = z.object({
  version: z.string(),
  host: hostTag,
  /** What `create` takes for the sizes that are not given, as they are typed. */
  defaults: z.record(z.string(), z.string()).optional(),
});
export type Greeting = z.infer<typeof greeting>;

/** Returns the greeting in what core tells another process at its start. */
export function greetingOf({ version, host, defaults }: Greeting): Greeting {
  return { version, host, ...(defaults === undefined ? {} : { defaults }) };
}

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

/** The directory of who may log in. */
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
  invitations: z.array(z.object({ hash: z.string(), expiresAtMs: z.number(), blob: z.string().optional() })),
});

/** The bans that admins have made. The front rejects connections from these networks. */
export const bans = z.array(
  z.object({
    network: z.string(),
    reason: z.string().nullable(),
    by: z.string(),
    at: z.string(),
    until: z.string().nullable(),
  }),
);
/**
 * A penalty that the front has imposed. core stores it, so that it outlasts the front. `untilMs` is in milliseconds
 * since 1970.
 */
export const begunPenalty = z.strictObject({
  source: z.string().max(64),
  why: z.enum(penaltyReasonNames),
  times: z.number().int().min(1).max(1_000_000),
  untilMs: z.number().int().min(0).max(8.64e15),
});
export const liftedPenalty = z.object({ source: z.string() });

const pendingLoginLimits = z.object({
  start: z.number(),
  ratePercent: z.number(),
  full: z.number(),
  perSource: z.number(),
});
const penaltyLimits = z.object({
  failedLoginMs: z.number(),
  noLoginMs: z.number(),
  lateMs: z.number(),
  violationMs: z.number(),
  minMs: z.number(),
  maxMs: z.number(),
  maxSources: z.number(),
  overflow: z.enum(['permissive', 'deny-all']),
  exempt: z.array(z.string()),
});

/** Everything that a front needs to start. */
export const frontStart = greeting.extend({
  /** The address to which the inherited socket is bound. */
  listen: z.object({ address: z.string(), port: z.number() }),
  /** Private keys: the current one, then the next one while a rotation is announced. */
  hostKeys: z.array(z.string()).min(1).max(2),
  directory,
  bans,
  penalties: z.array(begunPenalty),
  limits: z.object({
    identificationMs: z.number(),
    loginGraceMs: z.number(),
    pendingLogins: pendingLoginLimits,
    penalties: penaltyLimits,
    maxAuthTries: z.number(),
    maxSessions: z.number(),
    stdinMs: z.number(),
    unusedMs: z.number(),
    idleMs: z.number(),
    unreadMs: z.number(),
    maxSessionMs: z.number(),
  }),
  transport: z.object({
    keyExchange: z.enum(['fallback', 'post-quantum']),
    rekeyBytes: z.number(),
    rekeyMs: z.number(),
  }),
});
export type FrontStart = z.infer<typeof frontStart>;

const remoteTls = z.object({
  /** PEM. */
  authority: z.string(),
  certificate: z.string(),
  key: z.string(),
});
export type RemoteTls = z.infer<typeof remoteTls>;

/** Everything that a remote process needs to start. */
export const remoteStart = greeting.extend({
  /** Absent if the remote interface has no TLS. */
  tls: remoteTls.optional(),
  minTlsVersion: z.enum(['1.2', '1.3']),
  limits: z.object({
    handshakeMs: z.number(),
    idleMs: z.number(),
    unreadMs: z.number(),
    maxConnectionMs: z.number(),
    maxConnections: z.number(),
    maxConnectionsPerSource: z.number(),
    maxStreams: z.number(),
    pendingLogins: pendingLoginLimits,
    penalties: penaltyLimits,
  }),
  bans,
  penalties: z.array(begunPenalty),
});
export type RemoteStart = z.infer<typeof remoteStart>;
export const renewedTls = remoteTls;

export const roomEntry = z.strictObject({ shell, login });
export const roomExit = z.strictObject({ shell });
/** Starts or stops the live list. */
export const feedSwitch = z.strictObject({ shell, open: z.boolean() });
export const candidatesRequest = z.strictObject({
  login,
  what: z.enum(candidateKinds),
  user: z.string().max(64).optional(),
});
export const typedLine = z.strictObject({ login, line: z.string().max(4096) });
export const settingsChange = z.strictObject({ login, settings: z.strictObject({ plain: z.boolean() }) });

export const callCancel = z.strictObject({ id: z.string().max(64) });

/** Terminal input or output in base64. `id` is the call's. */
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
  /** Binds the key of an invited person. */
  useInvitation: new RequestType<z.infer<typeof proofRequest>, KeyBound, unknown>('login/invitation'),
  /** remote to core. */
  certify: new RequestType<z.infer<typeof remoteLogin>, Actor, unknown>('login/certificate'),
  insecure: new RequestType<z.infer<typeof insecureLogin>, Actor, unknown>('login/insecure'),
  logout: new NotificationType<z.infer<typeof loginEnd>>('login/out'),
  loginEnded: new NotificationType<z.infer<typeof loginEnded>>('login/ended'),
  refusals: new NotificationType<RefusalReport>('login/refusals'),
  unsupportedRequests: new NotificationType<z.infer<typeof unsupportedRequestReport>>('login/notOffered'),
  call: new RequestType<CallRequest, CallAnswer, unknown>('call'),
  event: new NotificationType<CallEventMessage>('event'),
  /** caller to core: end the change of this call, and undo it. */
  cancel: new NotificationType<z.infer<typeof callCancel>>('call/cancel'),
  enter: new RequestType<z.infer<typeof roomEntry>, Welcome, unknown>('room/enter'),
  leave: new NotificationType<z.infer<typeof roomExit>>('room/leave'),
  notice: new NotificationType<{ shell: string; notice: Notice }>('room/notice'),
  feed: new RequestType<z.infer<typeof feedSwitch>, true, unknown>('room/feed'),
  candidates: new RequestType<z.infer<typeof candidatesRequest>, Candidate[], unknown>('shell/candidates'),
  typed: new NotificationType<z.infer<typeof typedLine>>('shell/typed'),
  settings: new RequestType<z.infer<typeof settingsChange>, true, unknown>('shell/settings'),
  /** core to caller. Answered when the terminal has taken the bytes, so that a slow terminal slows the program down. */
  terminalOutput: new RequestType<z.infer<typeof terminalBytes>, true, unknown>('terminal/output'),
  terminalInput: new NotificationType<z.infer<typeof terminalBytes>>('terminal/input'),
  /** core to caller: stop or resume sending input. */
  terminalHold: new NotificationType<z.infer<typeof terminalHold>>('terminal/hold'),
  terminalResize: new NotificationType<z.infer<typeof terminalSize>>('terminal/resize'),
  directory: new NotificationType<Directory>('directory'),
  bans: new NotificationType<z.infer<typeof bans>>('bans'),
  penalised: new NotificationType<z.infer<typeof begunPenalty>>('bans/penalised'),
  penaltyLifted: new NotificationType<z.infer<typeof liftedPenalty>>('bans/lifted'),
  frontStart: new RequestType0<FrontStart, void>('front/start'),
  remoteStart: new RequestType0<RemoteStart, void>('remote/start'),
  /** core to remote: certificates for connections from now on. */
  renewed: new NotificationType<RemoteTls>('remote/renewed'),
  /** front or remote to core: it accepts connections. */
  listening: new NotificationType0('front/listening'),
  failed: new NotificationType<{ reason: string }>('front/failed'),
  /**
   * front or remote to core, every {@link aliveEveryMs} milliseconds: the event loop turns. A notification, because an
   * answer could get stuck in a queue of messages.
   */
  alive: new NotificationType0('front/alive'),
  drain: new NotificationType<{ reason: string }>('front/drain'),
} as const;

/** Converts an AbortSignal to the protocol's cancellation. */
export function cancellation(signal: AbortSignal): CancellationToken {
  const source = new CancellationTokenSource();
  if (signal.aborted) source.cancel();
  else signal.addEventListener('abort', () => source.cancel(), { once: true });
  return source.token;
}

/** Converts the protocol's cancellation to an AbortSignal. */
export function abortSignal(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  else token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
