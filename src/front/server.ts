/** The SSH server: accepts connections, times their login, and lets all of them go at the end. */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import ssh2, { type Server as Ssh2Server, type ServerConfig } from 'ssh2';
import type { Directory } from '../domain/access/directory.ts';
import { KeyIndex } from '../identity/keyIndex.ts';
import type { Ban } from '../domain/access/ban.ts';
import { formatUptime } from '../domain/values/time.ts';
import { offer } from './transport/algorithms.ts';
import { ServedConnection, type Service } from './connections/connection.ts';
import { closeWhatIsEnded } from './guards/closing.ts';
import { Gate } from './admission/gate.ts';
import { noteHangUp } from './transport/hangUp.ts';
import { HostKeys } from './transport/hostKeyRotation.ts';
import { watchLogin, type LoginAttempts } from './admission/loginAttempts.ts';
import type { BegunPenalty } from './admission/penalties.ts';
import { plainAddress } from './admission/plainAddress.ts';
import { ident, reject } from './admission/reject.ts';

/** A peer that died, or reads nothing, is noticed after four of these, in milliseconds: within a minute. */
const keepaliveMs = 14_000;

export interface ServerEvents {
  /** A source is refused for a while from now on. */
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

  constructor(service: Omit<Service, 'index' | 'hostKeys'>, events: ServerEvents) {
    this.#service = { ...service, index: new KeyIndex(), hostKeys: new HostKeys(service.start.hostKeys) };
    this.#gate = new Gate({ ...service.start.limits, onPenalty: events.onPenalty });
    this.#gate.setBans(service.start.bans);
    this.#gate.restore(service.start.penalties);
    const config: ServerConfig = {
      // The present one; the next one, where there is one, is only announced.
      hostKeys: service.start.hostKeys.slice(0, 1),
      ident,
      ...offer(service.start.transport.keyExchange),
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
    // An acceptor of our own, because ssh2's turns Nagle's algorithm on and tells of a connection only after its first
    // line.
    this.#net = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
  }

  /** Replaces what is known of who may log in. */
  allow(directory: Directory): void {
    this.#service.index.replace(directory);
  }

  /**
   * Replaces the bans that admins have given. Whoever is banned now and has not logged in yet is sent away; logins
   * stay.
   */
  ban(bans: readonly Ban[]): void {
    this.#gate.setBans(bans);
    for (const socket of this.#sockets) {
      const reason = this.#gate.ban(socket.remoteAddress ?? '');
      if (reason === undefined || this.#connections.get(socket)?.isLoggedIn === true) continue;
      socket.emit('forgiven');
      this.#hangUp(socket, reason);
    }
  }

  /** A source that an admin has let in again. */
  lift(source: string): void {
    this.#gate.lift(source);
  }

  /** Accepts on a socket that is bound already, given by its file descriptor. */
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

  /** Stops accepting and lets what runs end, for a few seconds at most. */
  async drain(reason: string, graceMs = 3000): Promise<void> {
    this.#net.close();
    for (const socket of this.#sockets) socket.emit('forgiven');
    for (const attempts of this.#attempts) attempts.over();
    for (const connection of this.#connections.values()) void connection.end(reason);
    const deadline = Date.now() + graceMs;
    while (this.#sockets.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    const refused = this.#gate.admit(socket);
    if (refused !== undefined) {
      // Also those that are gone already, and have no address any more.
      if (refused.source !== '')
        this.#service.refusals.add({
          source: plainAddress(socket.remoteAddress ?? ''),
          port: socket.remotePort ?? 0,
          reason: refused.why,
        });
      reject(socket, refused.text);
      return;
    }
    this.#sockets.add(socket);
    const attempts = watchLogin(socket, this.#service.refusals);
    this.#attempts.add(attempts);
    const { identificationMs, loginGraceMs } = this.#service.start.limits;
    const late = (): void => {
      attempts.failed('late');
      socket.emit('late');
      noteHangUp(socket, 'no login in time');
      this.#hangUp(socket, `Nobody logged in within ${formatUptime(loginGraceMs)}`);
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
    closeWhatIsEnded(socket);
    this.#ssh.injectSocket(socket);
  }

  /** Before its first line nothing can be said to a client: it waits for the rest of ours. */
  #hangUp(socket: Socket, reason: string): void {
    const served = this.#connections.get(socket);
    if (served === undefined) socket.destroy();
    else served.hangUp(reason);
  }
}
