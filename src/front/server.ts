/** The SSH server: accepts connections, limits the time of their login, and ends all of them when it drains. */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import ssh2, { type Server as Ssh2Server, type ServerConfig } from 'ssh2';
import type { Directory } from '../domain/access/directory.ts';
import { KeyIndex } from '../identity/keyIndex.ts';
import type { Ban } from '../domain/access/ban.ts';
import { durationInWords } from '../domain/values/duration.ts';
import { algorithmOptions } from './transport/algorithms.ts';
import { ServedConnection, type Service } from './connections/connection.ts';
import { UnreadOutputs } from '../connectionLimits/unreadOutput.ts';
import { RefusedLogins } from './connections/refusedLogins.ts';
import { destroyAfterEnd } from './guards/closing.ts';
import { Gate } from '../admission/gate.ts';
import { logHangUp } from './transport/hangUp.ts';
import { HostKeys } from './transport/hostKeys.ts';
import { watchLogin, type LoginAttempts } from './admission/loginAttempts.ts';
import type { BegunPenalty } from '../admission/penalties.ts';
import { plainAddress } from '../admission/plainAddress.ts';
import { ident, reject } from './admission/reject.ts';

/** Interval of keepalives, in milliseconds. A dead peer is noticed after four of them: within a minute. */
const keepaliveMs = 14_000;

export interface ServerEvents {
  /** Called when a penalty of a source begins. */
  readonly onPenalty: (begun: BegunPenalty) => void;
}

export class SshServer {
  readonly #service: Service;
  readonly #ssh: Ssh2Server;
  readonly #net: NetServer;
  readonly #sockets = new Set<Socket>();
  readonly #attempts = new Set<LoginAttempts>();
  readonly #connections = new Map<Socket, ServedConnection>();
  readonly #gate: Gate;

  constructor(service: Omit<Service, 'index' | 'hostKeys' | 'refusedLogins' | 'unreadOutputs'>, events: ServerEvents) {
    this.#service = {
      ...service,
      index: new KeyIndex(),
      hostKeys: new HostKeys(service.start.hostKeys),
      refusedLogins: new RefusedLogins(),
      unreadOutputs: new UnreadOutputs(service.start.limits),
    };
    this.#gate = new Gate({ ...service.start.limits, onPenalty: events.onPenalty });
    this.#gate.setBans(service.start.bans);
    this.#gate.restore(service.start.penalties);
    const config: ServerConfig = {
      // The current key only; a next key is announced but not used yet.
      hostKeys: service.start.hostKeys.slice(0, 1),
      ident,
      ...algorithmOptions(service.start.transport.keyExchange),
      keepaliveInterval: keepaliveMs,
      keepaliveCountMax: 3,
    };
    this.#ssh = new ssh2.Server(config, (connection) => {
      const served = new ServedConnection(connection, this.#service);
      this.#connections.set(served.socket, served);
      served.socket.emit('identified');
      connection.on('close', () => this.#connections.delete(served.socket));
    });
    this.#ssh.on('error' as never, () => undefined);
    // ssh2's own acceptor leaves Nagle's algorithm on, and reports a connection only after the client's first line.
    this.#net = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
  }

  /** Replaces the directory of keys that may log in. */
  allow(directory: Directory): void {
    this.#service.index.replace(directory);
  }

  /** Replaces the bans set by admins. Pending logins from a banned address are closed; logins stay open. */
  ban(bans: readonly Ban[]): void {
    this.#gate.setBans(bans);
    for (const socket of this.#sockets) {
      const reason = this.#gate.banMessage(socket.remoteAddress ?? '');
      if (reason === undefined || this.#connections.get(socket)?.isLoggedIn === true) continue;
      socket.emit('forgiven');
      this.#hangUp(socket, reason);
    }
  }

  /** Lifts the penalty of a source. */
  lift(source: string): void {
    this.#gate.lift(source);
  }

  /** Accepts connections on a socket that core has bound; `fd` is its file descriptor. */
  async listen(fd: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#net.once('error', reject);
      this.#net.listen({ fd }, () => {
        this.#net.off('error', reject);
        resolve();
      });
    });
    this.#net.on('error', () => undefined);
  }

  /**
   * Stops accepting and ends every connection with `reason`. Connections that remain after `graceMs` are destroyed,
   * because a client may not read what it is told.
   */
  async drain(reason: string, graceMs = 20_000): Promise<void> {
    this.#net.close();
    for (const socket of this.#sockets) socket.emit('forgiven');
    for (const attempts of this.#attempts) attempts.stop();
    for (const connection of this.#connections.values()) void connection.end(reason);
    const deadline = performance.now() + graceMs;
    while (this.#sockets.size > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50));
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    const rejected = this.#gate.admit(socket);
    if (rejected !== undefined) {
      // A socket that is closed already has no address to count under.
      if (rejected.source !== '')
        this.#service.refusals.add({
          source: plainAddress(socket.remoteAddress ?? ''),
          port: socket.remotePort ?? 0,
          reason: rejected.why,
        });
      reject(socket, rejected.text);
      return;
    }
    this.#sockets.add(socket);
    const attempts = watchLogin(socket, this.#service.refusals);
    this.#attempts.add(attempts);
    const { identificationMs, loginGraceMs } = this.#service.start.limits;
    const late = (): void => {
      attempts.failed('late');
      socket.emit('late');
      logHangUp(socket, 'no login in time');
      this.#hangUp(socket, `No login within ${durationInWords(loginGraceMs)}`);
    };
    const identification = setTimeout(late, identificationMs);
    const grace = setTimeout(late, loginGraceMs);
    socket.once('identified', () => clearTimeout(identification));
    socket.once('close', () => {
      clearTimeout(identification);
      clearTimeout(grace);
      this.#sockets.delete(socket);
      this.#attempts.delete(attempts);
    });
    socket.once('authenticated', () => clearTimeout(grace));
    destroyAfterEnd(socket);
    this.#ssh.injectSocket(socket);
  }

  /** Disconnects a pending login. A client that has not sent its identification yet cannot be given a reason. */
  #hangUp(socket: Socket, reason: string): void {
    const served = this.#connections.get(socket);
    if (served === undefined) socket.destroy();
    else served.hangUp(reason);
  }
}
