/**
 * An S3 server for tests that checks signatures (s3rver), behind a proxy that notes each request and can answer it
 * wrongly.
 */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface S3Rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}

const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as new (options: object) => S3Rver;

/** The only keys that the server knows. */
export const s3Keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const;

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  /** The requests so far: `PUT /backups/key?partNumber=1&uploadId=…`. */
  readonly requests: string[];
  /** Answers a request in place of the server if it returns true. */
  instead: ((line: string, response: ServerResponse) => boolean) | undefined;
  close(): Promise<void>;
}

export async function startS3(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'containarium-s3-'));
  const bucket = 'backups';
  const rver = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await rver.run();
  const requests: string[] = [];
  const proxy = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    if (server.instead?.(line, response) === true) return;
    const { method, url, headers } = incoming;
    const passed = request({ port, host: '127.0.0.1', method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    incoming.on('close', () => {
      if (!incoming.complete) passed.destroy();
    });
    incoming.pipe(passed);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const server: S3Server = {
    endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    bucket,
    requests,
    instead: undefined,
    async close() {
      proxy.closeAllConnections();
      proxy.close();
      await rver.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return server;
}
