/** The SSH server: accepts connections, times their login, and hands sessions out. */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import ssh2, { type Connection, type Server as Ssh2Server, type ServerConfig } from 'ssh2';
import type { Actor } from '../domain/actor.ts';
import type { CoreClient } from '../protocol/client.ts';
import type { Identity } from '../domain/actor.ts';
import type { FrontStart, Listening } from '../protocol/messages.ts';
import type { ShellClient } from '../protocol/shellClient.ts';
import type { Shell } from '../shell/shell.ts';
import { algorithms } from './algorithms.ts';
import { KeyIndex, decide } from './authentication.ts';
import { closeBareSessions, dropServerOnlyMessages, enforceWindow, hasSanePackets } from './guards.ts';
import { serveSession } from './session.ts';
import { tellSignatureAlgorithms } from './signatureAlgorithms.ts';

/** Idle connections on which a peer died are noticed after three of these, in milliseconds. */
const keepaliveMs = 15_000;

export class SshServer {
  readonly #start: FrontStart;
  readonly #core: CoreClient;
  readonly #index = new KeyIndex();
  readonly #ssh: Ssh2Server;
  readonly #net: NetServer;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  /** Every open shell, and whose it is. */
  readonly #shells = new Map<Shell, Actor>();
  readonly #shellClient: ShellClient;

  constructor(start: FrontStart, core: CoreClient, shells: ShellClient) {
    this.#start = start;
    this.#shellClient = shells;
    this.#core = core;
    const config: ServerConfig = {
      hostKeys: [start.hostKey],
      // Says what it is, not which version of which library it is made of.
      ident: 'containarium',
      algorithms,
      keepaliveInterval: keepaliveMs,
      keepaliveCountMax: 3,
    };
    this.#ssh = new ssh2.Server(config, (connection, info) => this.#serve(connection, info.ip));
    this.#ssh.on('error' as never, () => undefined);
    // An acceptor of our own, because ssh2's turns Nagle's algorithm on and tells of a connection only after its first line.
    this.#net = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
  }

  /** Replaces the index of keys that may log in. */
  allow(identities: readonly Identity[]): void {
    this.#index.replace(identities);
    for (const [shell, actor] of this.#shells) if (!this.#index.admits(actor)) shell.end('your key may not be used here any more');
  }

  async listen(where: { address: string; port: number }, whenBound: () => void): Promise<Listening> {
    await new Promise<void>((resolve, reject) => {
      this.#net.once('error', reject);
      this.#net.listen({ host: where.address, port: where.port }, () => {
        this.#net.off('error', reject);
        resolve();
      });
    });
    this.#net.on('error', () => undefined);
    whenBound();
    const bound = this.#net.address();
    if (bound === null || typeof bound === 'string') throw new Error('the server has no address');
    return { address: bound.address, port: bound.port };
  }

  /** Stops accepting and lets what runs end, for a few seconds at most. */
  async drain(reason: string, graceMs = 3000): Promise<void> {
    this.#net.close();
    for (const shell of this.#shells.keys()) shell.end(reason);
    await Promise.race([Promise.all([...this.#shells.keys()].map(({ ended }) => ended)), new Promise((resolve) => setTimeout(resolve, 1000))]);
    const deadline = Date.now() + graceMs;
    for (const connection of this.#connections) connection.end();
    while (this.#sockets.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    for (const socket of this.#sockets) socket.destroy();
  }

  #opened(shell: Shell, actor: Actor | undefined): void {
    if (actor === undefined) return;
    this.#shells.set(shell, actor);
    void shell.ended.finally(() => this.#shells.delete(shell)).catch(() => undefined);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    const grace = setTimeout(() => socket.destroy(), this.#start.limits.loginGraceMs);
    socket.once('close', () => {
      clearTimeout(grace);
      this.#sockets.delete(socket);
    });
    socket.once('authenticated', () => clearTimeout(grace));
    this.#ssh.injectSocket(socket);
  }

  #serve(connection: Connection, address: string): void {
    const socket = (connection as unknown as { _sock: Socket })._sock;
    const reachedAt = { host: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? this.#start.listen.port };
    const from = plainAddress(address);
    let actor: Actor | undefined;
    let failures = 0;
    let sessions = 0;

    this.#connections.add(connection);
    connection.on('error', (error: Error & { level?: string }) => {
      // ssh2 reports a dead peer but leaves the connection standing.
      if (error.level === 'client-timeout') socket.destroy();
    });
    connection.on('close', () => this.#connections.delete(connection));
    dropServerOnlyMessages(connection);
    enforceWindow(connection);
    tellSignatureAlgorithms(connection);

    connection.on('authentication', (context) => {
      try {
        const decision = decide(context, this.#index, from);
        if (decision.outcome === 'accept') {
          actor = decision.actor;
          context.accept();
        } else if (decision.outcome === 'offer') {
          context.accept();
        } else {
          // "none" is how clients ask which methods there are: no attempt.
          if (context.method !== 'none') failures++;
          if (failures >= this.#start.limits.maxAuthTries) connection.end();
          else context.reject(['publickey']);
        }
      } catch {
        socket.destroy();
      }
    });
    connection.on('ready', () => {
      socket.emit('authenticated');
    });
    connection.on('session', (accept, reject) => {
      if (actor === undefined || sessions >= this.#start.limits.maxSessions) return reject();
      const session = accept();
      if (!hasSanePackets(connection, session)) return;
      sessions++;
      session.on('close', () => sessions--);
      closeBareSessions(connection, session);
      serveSession(session, { connection, actor, core: this.#core, shells: this.#shellClient, opened: (shell) => this.#opened(shell, actor), reachedAt, stdinMs: this.#start.limits.stdinMs });
    });
  }
}

/** IPv4 addresses as such, also where the socket is a dual one. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:/, '');
}
