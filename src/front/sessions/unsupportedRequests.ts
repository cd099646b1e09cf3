/**
 * Notes what somebody asks for that is not offered: forwarding of every kind, agents, X11, subsystems. ssh2 refuses all
 * of it, because nobody listens; here it is only counted, by kinds of ours, for core to record who asked.
 */
import type { Connection } from 'ssh2';
import type { UnsupportedRequest, UnsupportedRequestCounts } from '../../domain/access/unsupportedRequest.ts';
import { internalsOf } from '../transport/internals.ts';

const channels: Readonly<Record<string, UnsupportedRequest>> = {
  'direct-tcpip': 'tcp-local',
  'direct-streamlocal@openssh.com': 'socket-local',
  'tun@openssh.com': 'tunnel',
  x11: 'x11',
  'auth-agent@openssh.com': 'agent',
};

const globalRequests: Readonly<Record<string, UnsupportedRequest>> = {
  'tcpip-forward': 'tcp-remote',
  'streamlocal-forward@openssh.com': 'socket-remote',
};

const channelRequests: Readonly<Record<string, UnsupportedRequest>> = {
  'auth-agent-req@openssh.com': 'agent',
  'x11-req': 'x11',
  subsystem: 'subsystem',
};

/** How long requests are gathered before they are told, in milliseconds. */
const everyMs = 2000;

/** Own properties only: the names are a client's. */
function kindOf(table: Readonly<Record<string, UnsupportedRequest>>, name: string): UnsupportedRequest | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

export class AskedFor {
  readonly #tell: () => void;
  #counts: Partial<Record<UnsupportedRequest, number>> = {};
  #timer: NodeJS.Timeout | undefined;

  /**
   * `tell` is called when there is something to {@link take}, at most every two seconds. Call before the first key
   * exchange.
   */
  constructor(connection: Connection, tell: () => void) {
    this.#tell = tell;
    const internals = internalsOf(connection);
    const handlers = internals._protocol._handlers;
    const note = (kind: UnsupportedRequest | undefined): void => {
      if (kind !== undefined && internals.authenticated) this.#note(kind);
    };
    const { CHANNEL_OPEN: open, GLOBAL_REQUEST: globalRequest, CHANNEL_REQUEST: channelRequest } = handlers;
    handlers.CHANNEL_OPEN = (protocol, info) => {
      if (info.type !== 'session') note(kindOf(channels, info.type) ?? 'channel');
      open(protocol, info);
    };
    handlers.GLOBAL_REQUEST = (protocol, name, wantReply, data) => {
      note(kindOf(globalRequests, name));
      globalRequest(protocol, name, wantReply, data);
    };
    handlers.CHANNEL_REQUEST = (protocol, recipient, type, wantReply, data) => {
      note(kindOf(channelRequests, type));
      channelRequest(protocol, recipient, type, wantReply, data);
    };
  }

  /** What was asked for since it was last taken. */
  take(): UnsupportedRequestCounts | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counts = this.#counts;
    this.#counts = {};
    return Object.keys(counts).length === 0 ? undefined : counts;
  }

  #note(kind: UnsupportedRequest): void {
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    this.#timer ??= setTimeout(this.#tell, everyMs).unref();
  }
}
