/**
 * The front process: serves SSH on two sockets that core hands it, the protocol with core and the bound port
 * (src/core/front/frontStarter.ts). If root started it, it changes its user before it reads the first byte from a
 * socket. All code and files are loaded before that, because the new user may not be able to read them.
 */
import { Socket } from 'node:net';
import { parseArgs } from 'node:util';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { coreClient } from '../protocol/client.ts';
import { connectOver, notify } from '../protocol/connection.ts';
import { loginClient } from '../protocol/loginClient.ts';
import { aliveEveryMs, bans, directory, frontStart, liftedPenalty, messages } from '../protocol/messages.ts';
import { shellClient } from '../protocol/shellClient.ts';
import { requirePatches } from './transport/requirePatches.ts';
import { Refusals } from './admission/refusals.ts';
import type { SshServer } from './server.ts';
import './noCursorRestore.ts';

// Loads Ink, so it must not be loaded together with the imports above.
const front = await import('./server.ts');
const { channel: channelFd, listener, uid, gid } = commandLine();
// Checked while the files are still readable; reported once core listens.
const unpatched = patchFault();
dropPrivileges();

/** The protocol with core. */
const channel = new Socket({ fd: channelFd, readable: true, writable: true });
const core: MessageConnection = connectOver(channel);
const refusals = new Refusals({ send: (report) => notify(core, messages.refusals, report) });
let server: SshServer | undefined;

core.onNotification(messages.directory, (raw) => {
  const parsed = directory.safeParse(raw);
  if (parsed.success) server?.allow(parsed.data);
});
core.onNotification(messages.bans, (raw) => {
  const parsed = bans.safeParse(raw);
  if (parsed.success) server?.ban(parsed.data);
});
core.onNotification(messages.penaltyLifted, (raw) => {
  const parsed = liftedPenalty.safeParse(raw);
  if (parsed.success) server?.lift(parsed.data.source);
});
core.onNotification(messages.drain, ({ reason }) => {
  void (server?.drain(reason) ?? Promise.resolve()).finally(async () => {
    refusals.flush();
    // Core answers in order: after this answer it has received the report.
    await Promise.race([
      core.sendRequest(messages.greet).catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, 500)),
    ]);
    process.exit(0);
  });
});
// Without core there is nothing to serve; a new core starts a new front.
channel.on('close', () => process.exit(0));

// Ctrl-C in the terminal of `npm start` reaches the whole process group. core stops the front itself, after the
// running changes.
process.on('SIGINT', () => undefined);

// One client must never take the others down: an error that escapes a session is logged, and the server continues.
process.on('uncaughtException', (error) => logError('uncaught', error));
process.on('unhandledRejection', (error) => logError('unhandled', error));

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

function dropPrivileges(): void {
  if (uid !== undefined && gid !== undefined) {
    process.setgroups?.([]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  }
  // Also catches a systemd unit that has lost its User= setting.
  if (process.getuid?.() === 0 || process.geteuid?.() === 0) throw new Error('the front must not run as root');
}

function patchFault(): Error | undefined {
  try {
    requirePatches();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function logError(kind: string, error: unknown): void {
  process.stderr.write(
    `${JSON.stringify({ level: 50, kind, error: error instanceof Error ? error.stack : String(error) })}\n`,
  );
}

// Ink adds listeners to the process for each shell.
process.setMaxListeners(0);

core.listen();
setInterval(() => notify(core, messages.alive), aliveEveryMs).unref();
try {
  if (unpatched !== undefined) throw unpatched;
  const start = frontStart.parse(await core.sendRequest(messages.frontStart));
  const client = coreClient(core, { version: start.version, host: start.host });
  server = new front.SshServer(
    { start, core: client, shells: shellClient(core), logins: loginClient(core), refusals },
    { onPenalty: (begun) => notify(core, messages.penalised, begun) },
  );
  server.allow(start.directory);
  await server.listen(listener);
  await core.sendNotification(messages.listening);
} catch (error) {
  await core
    .sendNotification(messages.failed, { reason: error instanceof Error ? error.message : String(error) })
    .catch(() => undefined);
  process.exit(1);
}
