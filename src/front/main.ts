/**
 * The front process: is handed two sockets by core, the protocol and the bound port (src/core/front/frontStarter.ts), and
 * serves SSH. Where root started it, it first becomes somebody else: nothing is read from anybody before. Everything it
 * will ever need is loaded by then, because afterwards it may not be able to read the program's own files.
 */
import { Socket } from 'node:net';
import { parseArgs } from 'node:util';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { coreClient } from '../protocol/client.ts';
import { connectOver, notify } from '../protocol/connection.ts';
import { loginClient } from '../protocol/loginClient.ts';
import { aliveEveryMs, bans, directory, frontStart, liftedPenalty, messages } from '../protocol/messages.ts';
import { shellClient } from '../protocol/shellClient.ts';
import { requirePatches } from './transport/patched.ts';
import { Refusals } from './admission/refusals.ts';
import { SshServer } from './server.ts';

const { channel: channelFd, listener, uid, gid } = commandLine();
// Afterwards the files may be out of reach; said once there is somebody to say it to.
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
    // Answered behind it: what was sent is with core then.
    await Promise.race([
      core.sendRequest(messages.greet).catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, 500)),
    ]);
    process.exit(0);
  });
});
// Without core there is nothing to serve, and core starts a new front when it is back.
channel.on('close', () => process.exit(0));

// One client must never take the others down: what escapes a session's own guards is written down, and the server goes
// on.
process.on('uncaughtException', (error) => note('uncaught', error));
process.on('unhandledRejection', (error) => note('unhandled', error));

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
  // Also where the unit that should have made it somebody else has lost its settings.
  if (process.getuid?.() === 0 || process.geteuid?.() === 0) throw new Error('the front does not run as root');
}

function patchFault(): Error | undefined {
  try {
    requirePatches();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function note(kind: string, error: unknown): void {
  process.stderr.write(
    `${JSON.stringify({ level: 50, kind, error: error instanceof Error ? error.stack : String(error) })}\n`,
  );
}

// Every shell of Ink's adds one listener for the end of the process.
process.setMaxListeners(0);

core.listen();
setInterval(() => notify(core, messages.alive), aliveEveryMs).unref();
try {
  if (unpatched !== undefined) throw unpatched;
  const start = frontStart.parse(await core.sendRequest(messages.frontStart));
  const client = coreClient(core, { version: start.version, host: start.host });
  server = new SshServer(
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
