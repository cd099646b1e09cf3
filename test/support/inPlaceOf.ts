/**
 * A compromised process: the real core runs with a program in place of the front or of the remote process, which passes
 * the protocol on to the test. The test then sends core what a hostile process could send.
 */
import { once } from 'node:events';
import { chmod, cp, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { connectOver } from '../../src/protocol/connection.ts';
import { messages } from '../../src/protocol/messages.ts';
import { repository, temporaryFolder } from './server.ts';

export interface InPlace {
  readonly socket: Socket;
  readonly connection: MessageConnection;
  /** Requests and notifications from core, in their order. */
  readonly heard: [method: string, params: unknown][];
}

export interface Replaced {
  /** The program to run in place of the product's. */
  readonly program: string;
  /** Returns the newest process. */
  now(): InPlace;
  /** Every process that core has started, the newest last. */
  readonly all: readonly InPlace[];
  close(): void;
}

/** Builds the product and puts a program of the test in place of one of its processes. */
export async function inPlaceOf(name: 'front' | 'remote'): Promise<Replaced> {
  const all: InPlace[] = [];
  const listener = createServer({ noDelay: true }, (socket) => {
    const connection = connectOver(socket);
    const heard: InPlace['heard'] = [];
    connection.onRequest((method, params) => {
      heard.push([method, params]);
      return true;
    });
    connection.onNotification((method, params) => void heard.push([method, params]));
    socket.once('close', () => connection.dispose());
    connection.listen();
    all.push({ socket, connection, heard });
    // core serves a front that has asked for what it needs to start (src/core/frontInterface.ts).
    if (name === 'front') connection.sendRequest(messages.frontStart).catch(() => undefined);
    void connection.sendNotification(messages.listening);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const folder = await temporaryFolder();
  await execa('flock', [
    join(repository, 'package.json'),
    process.execPath,
    join(repository, 'src', 'bootstrap.mjs'),
    '--quiet',
  ]);
  for (const part of ['dist', 'proto', 'package.json', join('src', 'front', 'patches')])
    await cp(join(repository, part), join(folder, part), { recursive: true });
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  await chmod(folder, 0o755);
  await writeFile(
    join(folder, 'dist', name, 'main.js'),
    `import { connect, Socket } from 'node:net';
     // pipe() looks at process.stdout, which is the channel (src/protocol/servingProcess.ts).
     for (const name of ['stdin', 'stdout']) Object.defineProperty(process, name, { value: undefined });
     const channel = new Socket({ fd: Number(process.argv.find((each) => each.startsWith('--channel=')).split('=')[1]) });
     const test = connect(${(listener.address() as AddressInfo).port}, '127.0.0.1');
     test.setNoDelay();
     channel.pipe(test).pipe(channel);
     for (const end of [channel, test]) end.on('error', () => undefined).on('close', () => process.exit(0));`,
  );
  return {
    program: join(folder, 'dist', 'main.js'),
    all,
    now() {
      const newest = all.at(-1);
      if (newest === undefined) throw new Error(`no ${name}`);
      return newest;
    },
    close: () => listener.close(),
  };
}
