/**
 * Counts unsupported requests of a login by kind: forwarding, agents, X11, tunnels, subsystems. ssh2 rejects them,
 * because no listener accepts them; the counts go to core, which records the login that asked.
 */
import type { Connection } from 'ssh2';
import type { UnsupportedRequest, UnsupportedRequestCounts } from '../../domain/access/unsupportedRequest.ts';
import { own } from '../../domain/own.ts';
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

/** How long requests are counted before a report, in milliseconds. */
const everyMs = 2000;

export class UnsupportedRequests {
  readonly #report: () => void;
  #counts: Partial<Record<UnsupportedRequest, number>> = {};
  #timer: NodeJS.Timeout | undefined;

  /**
   * Counts on a connection that has not begun its first key exchange. Calls `report` when there are counts to
   * {@link take}, every two seconds at most.
   */
  constructor(connection: Connection, report: () => void) {
    this.#report = report;
    const internals = internalsOf(connection);
    const handlers = internals._protocol._handlers;
    const count = (kind: UnsupportedRequest | undefined): void => {
      if (kind !== undefined && internals.authenticated) this.#count(kind);
    };
    const { CHANNEL_OPEN: open, GLOBAL_REQUEST: globalRequest, CHANNEL_REQUEST: channelRequest } = handlers;
    handlers.CHANNEL_OPEN = (protocol, info) => {
      if (info.type !== 'session') count(own(channels, info.type) ?? 'channel');
      open(protocol, info);
    };
    handlers.GLOBAL_REQUEST = (protocol, name, wantReply, data) => {
      count(own(globalRequests, name));
      globalRequest(protocol, name, wantReply, data);
    };
    handlers.CHANNEL_REQUEST = (protocol, recipient, type, wantReply, data) => {
      count(own(channelRequests, type));
      channelRequest(protocol, recipient, type, wantReply, data);
    };
  }

  /** Returns the counts since the last call, if there are any. */
  take(): UnsupportedRequestCounts | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counts = this.#counts;
    this.#counts = {};
    return Object.keys(counts).length === 0 ? undefined : counts;
  }

  #count(kind: UnsupportedRequest): void {
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    this.#timer ??= setTimeout(this.#report, everyMs).unref();
  }
}
