/**
 * The front process: takes its start from core over file descriptor 3, gives up root, and serves SSH. Everything it will ever need is
 * loaded before the privileges go, because afterwards it may not be able to read the program's own files.
 */
import { Socket } from 'node:net';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { coreClient } from '../protocol/client.ts';
import { connectOver } from '../protocol/connection.ts';
import { loginClient } from '../protocol/loginClient.ts';
import { frontStart, identities, messages, type FrontStart } from '../protocol/messages.ts';
import { shellClient } from '../protocol/shellClient.ts';
import { SshServer } from './server.ts';

/** core's end of the pipe; see FrontProcess. */
const channel = new Socket({ fd: 3, readable: true, writable: true });
const core: MessageConnection = connectOver(channel);
let server: SshServer | undefined;

core.onRequest(messages.ping, () => true);
core.onNotification(messages.identities, (raw) => {
  const parsed = identities.safeParse(raw);
  if (parsed.success) server?.allow(parsed.data);
});
core.onNotification(messages.drain, ({ reason }) => {
  void (server?.drain(reason) ?? Promise.resolve()).finally(() => process.exit(0));
});
// Without core there is nothing to serve, and core starts a new front when it is back.
channel.on('close', () => process.exit(0));

// One client must never take the others down: what escapes a session's own guards is written down, and the server goes on.
process.on('uncaughtException', (error) => note('uncaught', error));
process.on('unhandledRejection', (error) => note('unhandled', error));

function note(kind: string, error: unknown): void {
  process.stderr.write(`${JSON.stringify({ level: 50, kind, error: error instanceof Error ? error.stack : String(error) })}\n`);
}

function dropPrivileges(start: FrontStart): void {
  if (start.runAs === undefined || process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(start.runAs.gid);
  process.setuid?.(start.runAs.uid);
}

// Every shell of Ink's adds one listener for the end of the process.
process.setMaxListeners(0);

core.listen();
try {
  const start = frontStart.parse(await core.sendRequest(messages.frontStart));
  const client = coreClient(core, { version: start.version, host: start.host });
  server = new SshServer({ start, core: client, shells: shellClient(core), logins: loginClient(core) });
  server.allow(start.identities);
  const where = await server.listen(start.listen, () => dropPrivileges(start));
  await core.sendNotification(messages.listening, where);
} catch (error) {
  await core.sendNotification(messages.failed, { reason: error instanceof Error ? error.message : String(error) }).catch(() => undefined);
  process.exit(1);
}
