/**
 * The connections of the remote interface, from the first byte to the end. Before a client has presented a certificate
 * that core accepts, it costs a handshake and nothing else: the gate of the SSH server decides who may begin one.
 * Without TLS core accepts everybody as one admin; it binds a loopback address only.
 *
 * gRPC names the other end of a call by its address and port, so these must name one connection. They need not: with
 * two addresses of this host, a client can open two connections from one port. The second is refused.
 */
import { Server as NetServer, type Socket } from 'node:net';
import { createServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import type { Actor } from '../../domain/access/actor.ts';
import type { RefusalReason } from '../../domain/access/refusal.ts';
import { Failure } from '../../domain/failure.ts';
import type { Gate } from '../../admission/gate.ts';
import { plainAddress } from '../../admission/plainAddress.ts';
import type { Refusals } from '../../admission/refusals.ts';
import { UnreadOutputs, type UnreadOutput } from '../../connectionLimits/unreadOutput.ts';
import type { LoginClient } from '../../protocol/loginClient.ts';
import type { RemoteStart, RemoteTls } from '../../protocol/messages.ts';
import { SourceCounts } from './sourceCounts.ts';
import { contextOptions, tlsOptions } from './tls.ts';

/** A client whose login core has accepted, or has refused with the failure that its calls get. */
export type Caller =
  | {
      readonly actor: Actor;
      /** When its certificate ends; absent without TLS. */
      readonly expiresAt?: Date;
    }
  | { readonly refused: Failure };

/** Asks core for a login. `ended` is called when core ends it. */
type LogIn = (ended: (reason: string) => void) => Promise<Actor>;

export interface ConnectionsOptions {
  readonly start: RemoteStart;
  readonly gate: Gate;
  readonly refusals: Refusals;
  readonly logins: Pick<LoginClient, 'certify' | 'insecure' | 'logout'>;
  /** Takes a connection on which the client may speak HTTP/2. */
  readonly serve: (socket: Socket) => void;
}

/** How long a refused client may take to make the call that tells it why, in milliseconds. */
const refusedMs = 5000;

/** How long answers that are on their way may take when core has ended the login, in milliseconds. */
const endedMs = 250;

/** More than this is written to a client that takes nothing but a ping each minute, in bytes: it takes output. */
const maxPingBytes = 16 * 1024;

/** A connection whose client may make calls. */
interface Served {
  readonly socket: Socket;
  readonly caller: Caller;
  readonly unread?: UnreadOutput;
}

/** A connection before its TLS handshake is complete. */
interface Beginning {
  readonly socket: Socket;
  /** Reports once why it ended without a login. */
  readonly refuse: (reason: RefusalReason) => void;
  readonly authenticated: () => void;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  /** Absent if the remote interface has no TLS. */
  readonly #tls: TlsServer | undefined;
  readonly #net: NetServer;
  /** By address and port of the client, like {@link #callers}. */
  readonly #beginning = new Map<string, Beginning>();
  readonly #callers = new Map<string, Served>();
  readonly #open = new Set<Socket>();
  readonly #bySource = new SourceCounts();
  readonly #unreadOutputs: UnreadOutputs;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#unreadOutputs = new UnreadOutputs(options.start.limits);
    this.#tls = options.start.tls === undefined ? undefined : this.#tlsServer(options.start, options.start.tls);
    this.#net = new NetServer((socket) => this.#accept(socket));
  }

  #tlsServer(start: RemoteStart, tls: RemoteTls): TlsServer {
    const server = createServer(tlsOptions(start, tls));
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (_error, socket) => {
      this.#beginning.get(peerOf(socket))?.refuse('certificate');
      socket.destroy();
    });
    return server;
  }

  /** Accepts connections on a bound descriptor. */
  listen(fd: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#net.once('error', reject);
      this.#net.listen({ fd }, () => {
        this.#net.off('error', reject);
        resolve();
      });
    });
  }

  /** Presents another certificate from now on. */
  renew(tls: RemoteTls): void {
    this.#tls?.setSecureContext(contextOptions(tls, this.#options.start.minTlsVersion));
  }

  /** Returns who is at the other end of a connection, which gRPC names by address and port. */
  caller(peer: string): Caller | undefined {
    return this.#callers.get(peer)?.caller;
  }

  /** Returns what counts the unread output of a connection. */
  unread(peer: string): UnreadOutput | undefined {
    return this.#callers.get(peer)?.unread;
  }

  /** Accepts no further connections. */
  close(): void {
    this.#net.close();
  }

  /** Ends all connections. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #accept(socket: Socket): void {
    const { gate, refusals, start } = this.#options;
    const { maxConnections, maxConnectionsPerSource, handshakeMs } = start.limits;
    const source = plainAddress(socket.remoteAddress ?? '');
    const port = socket.remotePort ?? 0;
    socket.on('error', () => undefined);
    const peer = peerOf(socket);
    const rejected = gate.admit(socket);
    if (
      rejected !== undefined ||
      this.#beginning.has(peer) ||
      this.#callers.has(peer) ||
      this.#open.size >= maxConnections ||
      this.#bySource.of(source) >= maxConnectionsPerSource
    ) {
      socket.emit('forgiven');
      refusals.add({ source, port, reason: rejected?.why ?? 'connections', entryPoint: 'remote' });
      socket.destroy();
      return;
    }
    let isDecided = false;
    const refuse = (reason: RefusalReason): void => {
      if (isDecided) return;
      isDecided = true;
      if (reason === 'certificate') socket.emit('attempt');
      if (reason === 'late') socket.emit('late');
      refusals.add({ source, port, reason, entryPoint: 'remote' });
    };
    const late = setTimeout(() => {
      refuse('late');
      socket.destroy();
    }, handshakeMs);
    const authenticated = (): void => {
      isDecided = true;
      clearTimeout(late);
      socket.emit('authenticated');
    };
    this.#open.add(socket);
    this.#bySource.add(source, 1);
    this.#beginning.set(peer, { socket, refuse, authenticated });
    socket.once('close', () => {
      clearTimeout(late);
      refuse('silent');
      this.#open.delete(socket);
      this.#bySource.add(source, -1);
      this.#beginning.delete(peer);
    });
    if (this.#tls === undefined) {
      const logIn: LogIn = (ended) => this.#options.logins.insecure(source, ended);
      void this.#identify(socket, logIn);
    } else this.#tls.emit('connection', socket);
  }

  /** Handles a client that has proved that it has the key of a certificate of the CA. */
  #secured(socket: TLSSocket): void {
    socket.on('error', () => undefined);
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined || socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return;
    }
    const login = {
      certificate: certificate.raw.toString('base64'),
      address: plainAddress(socket.remoteAddress ?? ''),
      tls: socket.getProtocol() ?? '',
    };
    const logIn: LogIn = (ended) => this.#options.logins.certify(login, ended);
    void this.#identify(socket, logIn, certificate.validToDate);
  }

  /** Serves a client under the login that core gives it. Never rejects. */
  async #identify(socket: Socket, logIn: LogIn, expiresAt?: Date): Promise<void> {
    const { logins, serve } = this.#options;
    const peer = peerOf(socket);
    const beginning = this.#beginning.get(peer);
    if (beginning === undefined) {
      socket.destroy();
      return;
    }
    let caller: Caller;
    try {
      const actor = await logIn((reason) => this.#ended(peer, socket, reason));
      caller = { actor, ...(expiresAt === undefined ? {} : { expiresAt }) };
      beginning.authenticated();
    } catch (error) {
      caller = { refused: Failure.from(error) };
      // A person without a free place has proved who they are.
      if (caller.refused.code === 'busy') beginning.authenticated();
      else beginning.refuse('certificate');
      setTimeout(() => socket.destroy(), refusedMs).unref();
    }
    if (socket.destroyed) {
      if ('actor' in caller) logins.logout(caller.actor);
      return;
    }
    const unread = 'actor' in caller ? this.#countUnread(peer, socket, caller.actor) : undefined;
    this.#callers.set(peer, { socket, caller, ...(unread === undefined ? {} : { unread }) });
    socket.once('close', () => {
      this.#callers.delete(peer);
      unread?.close();
      if ('actor' in caller) logins.logout(caller.actor);
    });
    serve(socket);
  }

  #countUnread(peer: string, socket: Socket, actor: Actor): UnreadOutput {
    let seenBytes = socket.bytesWritten;
    const end = (reason: string): void => this.#ended(peer, socket, reason);
    const unread = this.#unreadOutputs.open({
      stalled: end,
      full: end,
      // A message counts until the client has taken all of it.
      isTaking: () => {
        const isTaking = socket.bytesWritten - seenBytes > maxPingBytes;
        seenBytes = socket.bytesWritten;
        return isTaking;
      },
    });
    unread.belongsTo(actor);
    return unread;
  }

  /** Ends a connection whose login core has ended. Its calls fail with the reason. */
  #ended(peer: string, socket: Socket, reason: string): void {
    // After the close another connection may have the same peer.
    if (this.#callers.get(peer)?.socket === socket) {
      const refused = new Failure('denied', { what: 'this login', why: reason });
      this.#callers.set(peer, { socket, caller: { refused } });
    }
    setTimeout(() => socket.destroy(), endedMs).unref();
  }
}

/** Returns the other end of a connection as gRPC names it. */
function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
