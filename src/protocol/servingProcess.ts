/**
 * What the front and the remote process have in common: two sockets that core hands them, the protocol with core and
 * the bound port (src/core/processes/processStarter.ts), and a user of their own. If root started the process, it
 * changes its user before it reads the first byte from a socket. Code that is loaded when it is needed must be readable
 * to the new user; if it is not, as in a checkout in a person's home, all of it is loaded before that.
 */
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Ban } from '../domain/access/ban.ts';
import { everyoneReads, packageRoot } from '../domain/packageRoot.ts';
import { connectOver, notify } from './connection.ts';
import { aliveEveryMs, bans, liftedPenalty, messages } from './messages.ts';

/** The folders of the program that have code. */
const codeFolders = ['dist', 'node_modules'].map((name) => join(packageRoot, name));

export interface ServingProcess {
  readonly core: MessageConnection;
  /** Descriptor of the bound port. */
  readonly listener: number;
  /** Begins to read from core, and to send it signs of life. */
  begin(): void;
  /** Tells core that clients are accepted. */
  listening(): Promise<void>;
  /** Tells core why clients cannot be accepted, and ends the process. */
  fail(error: unknown): Promise<never>;
}

/**
 * Drops the privileges of the process and connects to core. Rejects if the process would remain root. `later` loads
 * what the process otherwise loads when it is needed.
 */
export async function servingProcess(later: () => Promise<unknown>): Promise<ServingProcess> {
  const { channel: channelFd, listener, uid, gid } = commandLine();
  detachStandardStreams();
  if (uid !== undefined && !everyoneReads([packageRoot, ...codeFolders])) await later();
  dropPrivileges(uid, gid);
  const channel = new Socket({ fd: channelFd, readable: true, writable: true });
  const core = connectOver(channel);
  // Without core there is nothing to serve; a new core starts a new process.
  channel.on('close', () => process.exit(0));
  // Ctrl-C in the terminal of `npm start` reaches the whole process group. core stops the process itself, after the
  // running changes.
  process.on('SIGINT', () => undefined);
  // One client must never take the others down: an error that escapes a session is logged, and the server continues.
  process.on('uncaughtException', (error) => logError('uncaught', error));
  process.on('unhandledRejection', (error) => logError('unhandled', error));
  return {
    core,
    listener,
    begin() {
      core.listen();
      setInterval(() => notify(core, messages.alive), aliveEveryMs).unref();
    },
    listening: () => core.sendNotification(messages.listening),
    async fail(error) {
      const reason = error instanceof Error ? error.message : String(error);
      await core.sendNotification(messages.failed, { reason }).catch(() => undefined);
      // core may learn of the end of this process before it has read what was sent.
      await flushed(core);
      return process.exit(1);
    },
  };
}

/** Resolves when core has received everything sent before, because it answers in order. Waits half a second at most. */
export async function flushed(core: MessageConnection): Promise<void> {
  await Promise.race([
    core.sendRequest(messages.greet).catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, 500)),
  ]);
}

/** Passes on bans, and the end of penalties, to the server of this process. */
export function followBans(
  core: MessageConnection,
  server: () => { ban(all: readonly Ban[]): void; lift(source: string): void } | undefined,
): void {
  core.onNotification(messages.bans, (raw) => {
    const parsed = bans.safeParse(raw);
    if (parsed.success) server()?.ban(parsed.data);
  });
  core.onNotification(messages.penaltyLifted, (raw) => {
    const parsed = liftedPenalty.safeParse(raw);
    if (parsed.success) server()?.lift(parsed.data.source);
  });
}

function commandLine(): { channel: number; listener: number; uid: number | undefined; gid: number | undefined } {
  const number = { type: 'string' } as const;
  const { values } = parseArgs({ options: { channel: number, listener: number, uid: number, gid: number } });
  const optional = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  return {
    channel: Number(values.channel),
    listener: Number(values.listener),
    uid: optional(values.uid),
    gid: optional(values.gid),
  };
}

/**
 * Replaces `process.stdin` and `process.stdout` by streams of nothing. Their descriptors are the two sockets, and
 * libraries such as Ink look at both when they are loaded, for which Node.js would open each socket a second time: that
 * fails with EEXIST where the first is read already.
 */
function detachStandardStreams(): void {
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done() });
  for (const [name, value] of Object.entries({ stdin: Readable.from([]), stdout }))
    Object.defineProperty(process, name, { value, configurable: true });
}

function dropPrivileges(uid: number | undefined, gid: number | undefined): void {
  if (uid !== undefined && gid !== undefined) {
    process.setgroups?.([]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  }
  // Also catches a systemd unit that has lost its User= setting.
  if (process.getuid?.() === 0 || process.geteuid?.() === 0) throw new Error('the process must not run as root');
}

function logError(kind: string, error: unknown): void {
  process.stderr.write(
    `${JSON.stringify({ level: 50, kind, error: error instanceof Error ? error.stack : String(error) })}\n`,
  );
}
