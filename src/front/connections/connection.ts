/** The connection of one client: its login, its sessions and its end. */
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
import { endSessions } from './ending.ts';
import { disconnect, reasonCode } from '../transport/disconnect.ts';
import { closeBareSessions } from '../guards/closing.ts';
import { limitKeyExchanges } from '../guards/keyExchanges.ts';
import { dropServerOnlyMessages } from '../guards/messages.ts';
import { paceReading } from '../guards/pace.ts';
import { enforceWindows, hasUsablePacketSize } from '../guards/windows.ts';
import { hangUp, logHangUp } from '../transport/hangUp.ts';
import type { HostKeys } from '../transport/hostKeys.ts';
import { internalsOf } from '../transport/internals.ts';
import { joinWrites } from '../transport/joinedWrites.ts';
import { boundText, serveInvited } from './invitedSession.ts';
import type { RefusedLogins } from './refusedLogins.ts';
import { changeKeysInTime } from '../transport/rekey.ts';
import { countUnread } from '../transport/unread.ts';
import { loginAttemptsOf } from '../admission/loginAttempts.ts';
import { nameBanner } from '../admission/nameBanner.ts';
import { UnsupportedRequests } from '../sessions/unsupportedRequests.ts';
import { plainAddress } from '../../admission/plainAddress.ts';
import type { Refusals } from '../../admission/refusals.ts';
import { durationInWords, timeLeftInWords } from '../../domain/values/duration.ts';
import { serveSession, type ServedSession } from '../sessions/session.ts';
import { TimeLimit } from '../../connectionLimits/timeLimit.ts';
import type { UnreadOutput, UnreadOutputs } from '../../connectionLimits/unreadOutput.ts';

/** What all connections share. */
export interface Service {
  readonly start: FrontStart;
  readonly index: KeyIndex;
  readonly hostKeys: HostKeys;
  readonly core: CoreClient;
  readonly shells: ShellClient;
  readonly logins: LoginClient;
  readonly refusals: Refusals;
  readonly refusedLogins: RefusedLogins;
  readonly unreadOutputs: UnreadOutputs;
}

/** How long a connection with an invitation stays open so that the person can read the answer, in milliseconds. */
const invitedMs = 10_000;
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
  readonly #unsupportedRequests: UnsupportedRequests;
  readonly #unread: UnreadOutput;
  #proof: LoginProof | undefined;
  #transport: Transport | undefined;
  #isInvited = false;
  /** The answer to an invitation: what every session on the connection shows. */
  #invitationAnswer: Promise<string> | undefined;
  /** True once a command has run: later commands do not mention the simulated host again. */
  #hasRun = false;
  #failures = 0;
  #unusedTimer: NodeJS.Timeout | undefined;
  #loginLimit: TimeLimit | undefined;
  #isEnding = false;
  #isClosed = false;

  constructor(connection: Connection, service: Service) {
    this.#connection = connection;
    this.#service = service;
    this.socket = internalsOf(connection)._sock;
    this.#address = plainAddress(this.socket.remoteAddress ?? '');
    this.#reachedAt = {
      host: plainAddress(this.socket.localAddress ?? ''),
      port: this.socket.localPort ?? service.start.listen.port,
    };

    // Must come first: an `error` event without a listener would end the process.
    connection.on('error', (error: Error & { level?: string }) => {
      if (error.level === 'protocol') this.socket.emit('violation');
      // ssh2 reports a dead peer but leaves the connection open.
      if (error.level === 'client-timeout') hangUp(this.socket, 'the client no longer answers');
    });
    connection.on('close', () => this.#close());
    connection.once('handshake', ({ kex, serverHostKey, cs }) => {
      this.#transport = { keyExchange: kex, hostKey: serverHostKey, cipher: cs.cipher };
    });
    joinWrites(connection);
    dropServerOnlyMessages(connection);
    this.#unread = service.unreadOutputs.open({
      stalled: (reason) => void this.end(reason),
      full: (reason) => this.#drop(reason),
    });
    countUnread(connection, this.#unread);
    enforceWindows(connection);
    limitKeyExchanges(connection, () => this.#actor !== undefined, service.start.limits.loginGraceMs);
    paceReading(connection);
    changeKeysInTime(connection, service.start.transport);
    this.#unsupportedRequests = new UnsupportedRequests(
      connection,
      () => void this.#actor?.then((actor) => this.#reportUnsupportedRequests(actor)).catch(() => undefined),
    );
    this.#authenticate();
    connection.on('ready', () => this.#ready());
    // After core has been asked, which verifies the login meanwhile.
    service.hostKeys.announce(connection);
    this.#serveSessions();
  }

  /** Whether SSH authentication has succeeded. Core may still reject the login. */
  get isLoggedIn(): boolean {
    return this.#actor !== undefined;
  }

  /** Closes a connection that has not logged in. */
  hangUp(reason: string): void {
    disconnect(this.#connection, reason);
  }

  /** Ends the connection: every session shows the reason, then the client is disconnected with it. */
  async end(why: string): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    // An admin's text may be part of the reason.
    const reason = printable(why);
    await endSessions([...this.#sessions], reason, this.socket);
    disconnect(this.#connection, reason);
  }

  /** Disconnects a client that leaves too much output unread. Waiting for it to read would keep the output. */
  #drop(reason: string): void {
    this.#isEnding = true;
    logHangUp(this.socket, 'output was not read');
    disconnect(this.#connection, reason);
  }

  #authenticate(): void {
    const { index, start } = this.#service;
    const attempts = loginAttemptsOf(this.socket);
    const tellNames = nameBanner(this.#connection, this.#reachedAt.port);
    this.#connection.on('authentication', (context) => {
      try {
        tellNames(context);
        const decision = decide(context, index, this.#address, Date.now());
        if (decision.outcome === 'accept' || decision.outcome === 'invited') {
          this.#proof = decision.proof;
          this.#isInvited = decision.outcome === 'invited';
        }
        if (decision.outcome !== 'reject') return context.accept();
        // Clients send "none" to ask which methods exist (RFC 4252, section 5.2); that is not an attempt.
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

  /** Passes the proof of the login to core, which verifies it again and decides for itself. */
  #ready(): void {
    if (this.#proof === undefined) return this.socket.destroy() as unknown as undefined;
    this.socket.emit('authenticated');
    loginAttemptsOf(this.socket)?.stop();
    const { logins, start } = this.#service;
    if (this.#isInvited) return this.#bindKey(this.#proof);
    this.#restartUnusedTimer();
    const { maxSessionMs } = start.limits;
    this.#loginLimit = new TimeLimit({
      limitMs: maxSessionMs,
      warn: (leftMs) => {
        for (const session of this.#sessions)
          session.warn(
            `This login ends in ${timeLeftInWords(leftMs)}: the limit is ${durationInWords(maxSessionMs)}. Running operations continue.`,
          );
      },
      end: () => void this.end(`a login lasts at most ${durationInWords(maxSessionMs)}`),
    });
    this.#actor = logins.prove(
      this.#proof,
      { address: this.#address, transport: this.#transport },
      (reason) => void this.end(reason),
    );
    this.#actor.then(
      (actor) => {
        this.#unread.belongsTo(actor);
        if (this.#isClosed) this.#logout(actor);
      },
      (error: unknown) => this.#refused(error),
    );
  }

  /** Ends a connection whose login core has refused. For lack of a place its sessions get to tell why. */
  #refused(error: unknown): void {
    const end = (): void => void this.end(error instanceof Error ? error.message : String(error));
    if (!isFailure(error, 'busy') || this.#isClosed) return end();
    this.#connection.once('close', this.#service.refusedLogins.wait(end));
  }

  /** Uses an invitation: core binds the key, the sessions show the answer, and the connection ends. */
  #bindKey(proof: LoginProof): void {
    this.#invitationAnswer = this.#service.logins
      .useInvitation(proof, this.#address)
      .then((bound) => boundText(bound, this.#reachedAt));
    const endLater = (reason: string): unknown => setTimeout(() => void this.end(reason), invitedMs).unref();
    this.#invitationAnswer.then(
      () => endLater('the invitation has been used'),
      // `denied`: another key used the invitation first, and this one gets the answer of an unknown key.
      (error: unknown) =>
        isFailure(error, 'denied') ? void this.end('Permission denied') : endLater('the invitation was not used'),
    );
  }

  #serveSessions(): void {
    const { start, core, shells } = this.#service;
    this.#connection.on('session', (accept, reject) => {
      if ((this.#actor ?? this.#invitationAnswer) === undefined || this.#isEnding) return reject();
      if (this.#sessions.size >= start.limits.maxSessions)
        return this.#rejectSession(reject, `a connection may have at most ${start.limits.maxSessions} sessions`);
      const session = accept();
      if (!hasUsablePacketSize(this.#connection, session)) return;
      closeBareSessions(this.#connection, session);
      if (this.#invitationAnswer !== undefined) {
        const invited = serveInvited(session, this.#invitationAnswer);
        this.#sessions.add(invited);
        session.on('close', () => this.#sessions.delete(invited));
        return;
      }
      if (this.#actor === undefined) return;
      const served = serveSession(session, {
        connection: this.#connection,
        actor: this.#actor,
        core,
        shells,
        reachedAt: this.#reachedAt,
        isFirst: () => !this.#hasRun && (this.#hasRun = true),
        stdinMs: start.limits.stdinMs,
        idleMs: start.limits.idleMs,
      });
      this.#sessions.add(served);
      this.#restartUnusedTimer();
      session.on('close', () => {
        this.#sessions.delete(served);
        this.#restartUnusedTimer();
      });
    });
  }

  /** Starts the time after which a connection without a session ends (UnusedConnectionTimeout of sshd_config(5)). */
  #restartUnusedTimer(): void {
    const { unusedMs } = this.#service.start.limits;
    clearTimeout(this.#unusedTimer);
    if (this.#sessions.size > 0 || unusedMs === 0 || this.#isClosed) return;
    this.#unusedTimer = setTimeout(
      () => void this.end(`no session was open for ${durationInWords(unusedMs)}`),
      Math.min(unusedMs, 2 ** 31 - 1),
    ).unref();
  }

  /** Rejects a session with a reason, which ssh2 itself does not send. */
  #rejectSession(reject: () => void, why: string): void {
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
    this.#isClosed = true;
    clearTimeout(this.#unusedTimer);
    this.#loginLimit?.stop();
    this.#unread.close();
    for (const session of this.#sessions) session.disconnected();
    this.#actor?.then((actor) => this.#logout(actor)).catch(() => undefined);
  }

  #logout(actor: Actor): void {
    this.#reportUnsupportedRequests(actor);
    this.#service.logins.logout(actor);
  }

  /** Reports unsupported requests to core. Must come before the logout: after it core no longer knows the login. */
  #reportUnsupportedRequests(actor: Actor): void {
    const counts = this.#unsupportedRequests.take();
    if (counts !== undefined) this.#service.logins.unsupportedRequests(actor, counts);
  }
}
