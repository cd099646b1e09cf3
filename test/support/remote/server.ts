/** A server with a remote interface, for tests: certificates in a folder, and the command line that uses them. */
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { processes } from '../../host/harness/processes.ts';
import { eventually } from '../eventually.ts';
import { finished, repository, startServer, temporaryFolder, type Finished, type ServerOptions } from '../server.ts';
import type { TestServer } from '../server.ts';

export interface RemoteTestServer {
  readonly server: TestServer;
  /** Port of the remote interface. */
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Folder with ca.crt, client.crt and client.key of the first admin. */
  readonly certificates: string;
  /** Runs the command line as the first admin, from elsewhere. */
  remote(words: readonly string[], options?: RemoteOptions): Promise<Finished>;
  /** Issues a certificate, and returns its folder. */
  issue(admin: string, words?: readonly string[]): Promise<string>;
}

export interface RemoteOptions {
  readonly stdin?: string;
  readonly certificates?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const main = join(repository, 'dist', 'main.js');

/** Starts a server and makes its certificates, after which the remote interface listens. */
export async function startRemoteServer(options: ServerOptions = {}): Promise<RemoteTestServer> {
  const config = { ...options.config, remote: { listen: '127.0.0.1:0', ...(options.config?.['remote'] as object) } };
  // The port is in the log.
  const env = { ...options.env, CONTAINARIUM_LOG: 'info' };
  const server = await startServer({ ...options, env, config });
  const certificates = await temporaryFolder();
  const made = await server.local([
    ...['cert', 'generate', '--server-ip', '127.0.0.1', '--server-name', 'localhost'],
    ...['--output-dir', certificates],
  ]);
  expect(made.code, made.stderr).toBe(0);
  const port = await remotePort(server);
  const address = `127.0.0.1:${port}`;
  return {
    server,
    port,
    address,
    certificates,
    remote: (words, use) => runRemotely(address, words, { certificates, ...use }),
    async issue(admin, words = []) {
      const folder = await temporaryFolder();
      const issued = await server.local(['cert', 'issue', admin, '--output-dir', folder, ...words]);
      expect(issued.code, issued.stderr).toBe(0);
      return folder;
    },
  };
}

/** Returns the port on which the remote interface listens, from the log. */
export async function remotePort(server: TestServer): Promise<number> {
  const line = /"port":(\d+)[^\n]*the remote interface listens/;
  return Number(await eventually(() => line.exec(server.log())?.[1], 'the remote interface listens'));
}

/** Returns the process id of the remote process. */
export async function remotePid(server: TestServer): Promise<number> {
  const found = (await processes()).filter(
    ({ parent, commandLine }) => parent === server.pid && commandLine.includes('/remote/main.js'),
  );
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} remote processes`);
  return only.pid;
}

/** Runs the command line against a remote interface, in an environment with nothing of this machine's. */
export async function runRemotely(
  address: string,
  words: readonly string[],
  { stdin, certificates, env }: RemoteOptions = {},
): Promise<Finished> {
  const folder = await temporaryFolder();
  const ran = await execa(
    process.execPath,
    [main, ...words, '--server', address, ...(certificates === undefined ? [] : ['--certs-dir', certificates])],
    {
      reject: false,
      stripFinalNewline: false,
      ...(stdin === undefined ? { stdin: 'ignore' } : { input: stdin }),
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
      extendEnv: false,
    },
  );
  return finished(ran);
}
