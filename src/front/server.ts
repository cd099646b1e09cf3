/** The SSH server: accepts connections, times their login, and lets all of them go at the end. */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import ssh2, { type Server as Ssh2Server, type ServerConfig } from 'ssh2';
import type { Directory } from '../domain/directory.ts';
import { KeyIndex } from '../identity/keyIndex.ts';
import { offer } from './algorithms.ts';
import { ServedConnection, type Service } from './connection.ts';
import { closeWhatIsEnded } from './guards.ts';
import { hangUp } from './hangUp.ts';
import { HostKeys } from './hostKeyRotation.ts';
import { watchLogin, type LoginAttempts } from './loginAttempts.ts';

/** A peer that died, or reads nothing, is noticed after four of these, in milliseconds: within a minute. */
const keepaliveMs = 14_000;

export class SshServer {
  readonly #service: Service;
  readonly #ssh: Ssh2Server;
  readonly #net: NetServer;
  readonly #sockets = new Set<Socket>();
  readonly #attempts = new Set<LoginAttempts>();
  readonly #connections = new Set<ServedConnection>();

  constructor(service: Omit<Service, 'index' | 'hostKeys'>) {
    this.#service = { ...service, index: new KeyIndex(), hostKeys: new HostKeys(service.start.hostKeys) };
    const config: ServerConfig = {
      // The present one; the next one, where there is one, is only announced.
      hostKeys: service.start.hostKeys.slice(0, 1),
      // Says what it is, not which version of which library it is made of.
      ident: 'containarium',
      ...offer(service.start.transport.keyExchange),
      keepaliveInterval: keepaliveMs,
      keepaliveCountMax: 3,
    };
    this.#ssh = new ssh2.Server(config, (connection) => {
      const served = new ServedConnection(connection, this.#service);
      this.#connections.add(served);
      connection.on('close', () => this.#connections.delete(served));
    });
    this.#ssh.on('error' as never, () => undefined);
    // An acceptor of our own, because ssh2's turns Nagle's algorithm on and tells of a connection only after its first line.
    this.#net = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
  }

  /** Replaces what is known of who may log in. */
  allow(directory: Directory): void {
    this.#service.index.replace(directory);
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
    for (const attempts of this.#attempts) attempts.over();
    for (const connection of this.#connections) void connection.end(reason);
    const deadline = Date.now() + graceMs;
    while (this.#sockets.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    const attempts = watchLogin(socket, this.#service.refusals);
    this.#attempts.add(attempts);
    const grace = setTimeout(() => {
      attempts.failed('late');
      hangUp(socket, 'no login in time');
    }, this.#service.start.limits.loginGraceMs);
    socket.once('close', () => {
      clearTimeout(grace);
      this.#sockets.delete(socket);
      this.#attempts.delete(attempts);
    });
    socket.once('authenticated', () => clearTimeout(grace));
    closeWhatIsEnded(socket);
    this.#ssh.injectSocket(socket);
  }
}
