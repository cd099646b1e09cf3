/** One client's connection: its login, its sessions, and its end. */
import type { Socket } from 'node:net';
import type { Connection } from 'ssh2';
import type { Actor } from '../../domain/access/actor.ts';
import { isFailure } from '../../domain/failure.ts';
import type { LoginProof, Transport } from '../../domain/access/login.ts';
import { printable } from '../../domain/text.ts';
import type { KeyIndex } from '../../identity/keyIndex.ts';
import type { CoreClient } from '../../protocol/client.ts';
import type { LoginClient } from '../../protocol/loginClient.ts';
import type { FrontStart } from '../../protocol/messages.ts';
import type { ShellClient } from '../../protocol/shellClient.ts';
import { decide } from './authentication.ts';
import { disconnect, reasonCode } from '../transport/disconnect.ts';
import { closeBareSessions } from '../guards/closing.ts';
import { limitKeyExchanges } from '../guards/keyExchanges.ts';
import { dropServerOnlyMessages } from '../guards/messages.ts';
import { paceReading } from '../guards/pace.ts';
import { enforceWindows, hasSanePackets } from '../guards/windows.ts';
import { hangUp } from '../transport/hangUp.ts';
import type { HostKeys } from '../transport/hostKeyRotation.ts';
import { internalsOf } from '../transport/internals.ts';
import { boundText, serveInvited } from './invited.ts';
import { changeKeysInTime } from '../transport/rekey.ts';
import { attemptsOn } from '../admission/loginAttempts.ts';
import { AskedFor } from '../sessions/unsupportedRequests.ts';
import { plainAddress } from '../admission/plainAddress.ts';
import type { Refusals } from '../admission/refusals.ts';
import { formatUptime } from '../../domain/values/time.ts';
import { serveSession, type ServedSession } from '../sessions/session.ts';
import { TimeLimit } from '../sessions/timeLimits.ts';

/** What every connection is served with. */
export interface Service {
  readonly start: FrontStart;
  readonly index: KeyIndex;
  readonly hostKeys: HostKeys;
  readonly core: CoreClient;
  readonly shells: ShellClient;
  readonly logins: LoginClient;
  readonly refusals: Refusals;
}

/** How long somebody with an invitation may stay to read what became of it, in milliseconds. */
const invitedMs = 10_000;
/** How long sessions may take to say goodbye, in milliseconds. */
const goodbyeMs = 1000;

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, section 5.1). */
const administrativelyProhibited = 1;

export class ServedConnection {
  readonly #connection: Connection;
  readonly #service: Service;
  readonly socket: Socket;
  readonly #address: string;
  readonly #reachedAt: { readonly host: string; readonly port: number };
  readonly #sessions = new Set<ServedSession>();
  #actor: Promise<Actor> | undefined;
  readonly #askedFor: AskedFor;
  #proof: LoginProof | undefined;
  #transport: Transport | undefined;
  #invited = false;
  #answer: Promise<string> | undefined;
  #failures = 0;
  #unused: NodeJS.Timeout | undefined;
  #longest: TimeLimit | undefined;
  #ending = false;
  #closed = false;

  constructor(connection: Connection, service: Service) {
    this.#connection = connection;
    this.#service = service;
    this.socket = internalsOf(connection)._sock;
    this.#address = plainAddress(this.socket.remoteAddress ?? '');
    this.#reachedAt = {
      host: plainAddress(this.socket.localAddress ?? ''),
      port: this.socket.localPort ?? service.start.listen.port,
    };

    // Before anything else: an error that nobody listens to would end the process.
    connection.on('error', (error: Error & { level?: string }) => {
      if (error.level === 'protocol') this.socket.emit('violation');
      // ssh2 reports a dead peer but leaves the connection standing.
      if (error.level === 'client-timeout') hangUp(this.socket, 'the client does not answer any more');
    });
    connection.on('close', () => this.#close());
    // What the first key exchange agreed on; the types of ssh2 know nothing of what a server is told.
    connection.once(
      'handshake' as never,
      (({ kex, serverHostKey, cs }: { kex: string; serverHostKey: string; cs: { cipher: string } }) => {
        this.#transport = { keyExchange: kex, hostKey: serverHostKey, cipher: cs.cipher };
      }) as never,
    );
    dropServerOnlyMessages(connection);
    enforceWindows(connection);
    limitKeyExchanges(connection, () => this.#actor !== undefined, service.start.limits.loginGraceMs);
    paceReading(connection);
    changeKeysInTime(connection, service.start.transport);
    service.hostKeys.announce(connection);
    this.#askedFor = new AskedFor(
      connection,
      () => void this.#actor?.then((actor) => this.#tellAskedFor(actor)).catch(() => undefined),
    );
    this.#authenticate();
    connection.on('ready', () => this.#ready());
    this.#serveSessions();
  }

  /** Whether it has logged in, as far as SSH goes. */
  get isLoggedIn(): boolean {
    return this.#actor !== undefined;
  }

  /** Closes one that has not logged in. */
  hangUp(reason: string): void {
    disconnect(this.#connection, reason);
  }

  /** Ends it: every session says why, then the client is told, and the connection closed. */
  async end(why: string): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    // An admin's own words may be in it.
    const reason = printable(why);
    for (const session of this.#sessions) session.end(reason);
    await Promise.race([
      Promise.all([...this.#sessions].map(({ ended }) => ended)),
      new Promise((resolve) => setTimeout(resolve, goodbyeMs)),
    ]);
    disconnect(this.#connection, reason);
  }

  #authenticate(): void {
    const { index, start } = this.#service;
    const attempts = attemptsOn(this.socket);
    this.#connection.on('authentication', (context) => {
      try {
        const decision = decide(context, index, this.#address, Date.now());
        if (decision.outcome === 'accept' || decision.outcome === 'invited') {
          this.#proof = decision.proof;
          this.#invited = decision.outcome === 'invited';
        }
        if (decision.outcome !== 'reject') return context.accept();
        // "none" is how clients ask which methods there are: no attempt.
        if (context.method !== 'none') {
          this.#failures++;
          attempts?.failed(decision.reason, context.username);
          this.socket.emit('attempt');
        }
        if (this.#failures < start.limits.maxAuthTries) return context.reject(['publickey']);
        attempts?.failed('attempts', context.username);
        disconnect(this.#connection, 'Too many authentication failures', reasonCode.noMoreAuthMethods);
      } catch {
        this.socket.destroy();
      }
    });
  }

  /** Logged in as far as SSH goes; core is shown the same proof, and decides for itself. */
  #ready(): void {
    if (this.#proof === undefined) return this.socket.destroy() as unknown as undefined;
    this.socket.emit('authenticated');
    attemptsOn(this.socket)?.over();
    const { logins, start } = this.#service;
    if (this.#invited) return this.#bindKey(this.#proof);
    this.#mindUse();
    const { maxSessionMs } = start.limits;
    this.#longest = new TimeLimit({
      limitMs: maxSessionMs,
      warn: (leftMs) => {
        for (const session of this.#sessions)
          session.warn(
            `A login lasts ${formatUptime(maxSessionMs)} here: this one ends in ${formatUptime(Math.ceil(leftMs / 1000) * 1000)}. What runs goes on.`,
          );
      },
      end: () => void this.end(`a login lasts ${formatUptime(maxSessionMs)} here`),
    });
    this.#actor = logins.prove(
      this.#proof,
      { address: this.#address, transport: this.#transport },
      (reason) => void this.end(reason),
    );
    this.#actor.then(
      (actor) => {
        if (this.#closed) this.#leave(actor);
      },
      (error: unknown) => void this.end(error instanceof Error ? error.message : String(error)),
    );
  }

  /** Whoever comes with an invitation has their key bound, is told so, and goes. */
  #bindKey(proof: LoginProof): void {
    this.#answer = this.#service.logins
      .useInvitation(proof, this.#address)
      .then((bound) => boundText(bound, this.#reachedAt));
    const leave = (reason: string, afterMs: number): unknown =>
      setTimeout(() => void this.end(reason), afterMs).unref();
    this.#answer.then(
      () => leave('the invitation has been used', invitedMs),
      // Somebody else was faster: no more is said than to a stranger. Other reasons they have to read.
      (error: unknown) =>
        isFailure(error, 'denied')
          ? void this.end('Permission denied')
          : leave('the invitation was not used', invitedMs),
    );
  }

  #serveSessions(): void {
    const { start, core, shells } = this.#service;
    this.#connection.on('session', (accept, reject) => {
      if ((this.#actor ?? this.#answer) === undefined || this.#ending) return reject();
      if (this.#sessions.size >= start.limits.maxSessions)
        return this.#tellWhy(reject, `a connection has ${start.limits.maxSessions} sessions here`);
      const session = accept();
      if (!hasSanePackets(this.#connection, session)) return;
      closeBareSessions(this.#connection, session);
      if (this.#answer !== undefined) return void this.#sessions.add(serveInvited(session, this.#answer));
      if (this.#actor === undefined) return;
      const served = serveSession(session, {
        connection: this.#connection,
        actor: this.#actor,
        core,
        shells,
        reachedAt: this.#reachedAt,
        stdinMs: start.limits.stdinMs,
        idleMs: start.limits.idleMs,
      });
      this.#sessions.add(served);
      this.#mindUse();
      session.on('close', () => {
        this.#sessions.delete(served);
        this.#mindUse();
      });
    });
  }

  /** Closes a connection without a session after a while (UnusedConnectionTimeout of sshd_config(5)). */
  #mindUse(): void {
    const { unusedMs } = this.#service.start.limits;
    clearTimeout(this.#unused);
    if (this.#sessions.size > 0 || unusedMs === 0 || this.#closed) return;
    this.#unused = setTimeout(
      () => void this.end(`no session was open for ${formatUptime(unusedMs)}`),
      Math.min(unusedMs, 2 ** 31 - 1),
    ).unref();
  }

  /** ssh2 gives no reason with a refusal. */
  #tellWhy(reject: () => void, why: string): void {
    const protocol = internalsOf(this.#connection)._protocol;
    const fail = protocol.channelOpenFail.bind(protocol);
    protocol.channelOpenFail = (recipient) => fail(recipient, administrativelyProhibited, why);
    try {
      reject();
    } finally {
      protocol.channelOpenFail = fail;
    }
  }

  #close(): void {
    this.#closed = true;
    clearTimeout(this.#unused);
    this.#longest?.stop();
    for (const session of this.#sessions) session.left();
    this.#actor?.then((actor) => this.#leave(actor)).catch(() => undefined);
  }

  #leave(actor: Actor): void {
    this.#tellAskedFor(actor);
    this.#service.logins.logout(actor);
  }

  /** Tells core what was asked for that is not offered, as long as the login can be named. */
  #tellAskedFor(actor: Actor): void {
    const counts = this.#askedFor.take();
    if (counts !== undefined) this.#service.logins.unsupportedRequests(actor, counts);
  }
}
