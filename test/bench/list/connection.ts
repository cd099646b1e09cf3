/** Connections of admins that stay open. */
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import ssh2 from 'ssh2';

export async function milliseconds(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

/** Opens a connection of the admin who has this private key: its file, or what is in it. */
export async function connect(port: number, key: string | Buffer): Promise<ssh2.Client> {
  const client = new ssh2.Client();
  const ready = new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.once('error', reject);
  });
  // As OpenSSH does; otherwise each request waits for an acknowledgement.
  const sock = createConnection({ host: '127.0.0.1', port, noDelay: true });
  const privateKey = typeof key === 'string' ? readFileSync(key) : key;
  client.connect({ sock, username: 'manage', privateKey, readyTimeout: 120_000 });
  await ready;
  return client;
}

/** Runs a command over an open connection. Resolves to its output. */
export function run(client: ssh2.Client, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error);
      let output = '';
      channel.on('data', (data: Buffer) => (output += data.toString()));
      channel.stderr.resume();
      channel.once('close', (code: number) =>
        code === 0 ? resolve(output) : reject(new Error(`${command}: ${code}`)),
      );
    });
  });
}

/** How long a key may take, in milliseconds. */
const keyLimitMs = 15_000;

/** Opens a shell. Resolves when it has shown its prompt. */
export function openShell(client: ssh2.Client): Promise<ssh2.ClientChannel> {
  return new Promise((resolve, reject) => {
    const window = { term: 'xterm-256color', cols: 100, rows: 30, width: 0, height: 0, modes: {} };
    client.shell(window, (error: Error | undefined, channel) => {
      if (error !== undefined) return reject(error);
      channel.on('data', function prompt(data: Buffer) {
        if (!data.includes('›')) return;
        channel.off('data', prompt);
        channel.resume();
        resolve(channel);
      });
      channel.once('close', () => reject(new Error('the shell ended before its prompt')));
    });
  });
}

/** Writes a key. Resolves with the first bytes that come back. */
export function press(channel: ssh2.ClientChannel, key: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('a key was not answered')), keyLimitMs);
    channel.once('data', () => {
      clearTimeout(late);
      resolve();
    });
    channel.write(key);
  });
}
