/**
 * A bare ssh2 server for ../exec.ts: `node bareServer.ts SETTINGS`, with BareSettings (servers.ts) as JSON. It has the
 * algorithms of the front, verifies one signature and answers with fixed bytes. Prints its port.
 */
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import ssh2, { type AuthContext, type ParsedKey, type Session } from 'ssh2';
import { algorithmOptions } from '../../../src/front/transport/algorithms.ts';
import type { BareSettings } from './servers.ts';

const settings = JSON.parse(process.argv[2] ?? '') as BareSettings;
const allowed = parsed(ssh2.utils.parseKey(readFileSync(settings.userKey)));
const blob = allowed.getPublicSSH();

function parsed(key: ParsedKey | Error): ParsedKey {
  if (key instanceof Error) throw key;
  return key;
}

function authenticate(context: AuthContext): void {
  if (context.method !== 'publickey') return context.reject(['publickey']);
  const { key, blob: signed, signature } = context;
  if (!key.data.equals(blob)) return context.reject(['publickey']);
  if (signature === undefined || signed === undefined) return context.accept();
  if (allowed.verify(signed, signature)) context.accept();
  else context.reject(['publickey']);
}

function serve(session: Session): void {
  session.on('exec', (accept, _reject, { command }) => {
    const channel = accept();
    const { stdout = '', stderr = '' } = settings.answers[command] ?? {};
    channel.write(stdout);
    if (stderr !== '') channel.stderr.write(stderr);
    channel.exit(0);
    channel.end();
    channel.close();
  });
}

const config = { hostKeys: [readFileSync(settings.hostKey)], ...algorithmOptions('fallback') };
const server = new ssh2.Server(config, (connection) => {
  connection.on('error', () => undefined);
  connection.on('authentication', authenticate);
  connection.on('session', (accept) => serve(accept()));
});
// As the front has it; ssh2's own acceptor leaves Nagle's algorithm on.
const acceptor = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  server.injectSocket(socket);
});
acceptor.listen(0, '127.0.0.1', () => console.log((acceptor.address() as AddressInfo).port));
