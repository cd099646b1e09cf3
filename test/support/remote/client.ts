/** A client of the remote interface that is not the product's: grpc-js with the proto files. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials, loadPackageDefinition, type Client, type GrpcObject } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { repository } from '../server.ts';

type Constructor = new (address: string, ...rest: unknown[]) => Client & Record<string, (...args: any[]) => any>;

const definition = loadSync(['containarium/v1/container.proto', 'containarium/v1/verbs.proto'], {
  includeDirs: [join(repository, 'proto')],
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});
const { v1 } = (loadPackageDefinition(definition) as unknown as { containarium: { v1: GrpcObject } }).containarium;

/** Connects with the certificates of a folder, or without TLS. */
export async function connectClient(
  address: string,
  folder: string | undefined,
  name: 'ContainerService' | 'VerbService' = 'ContainerService',
): Promise<InstanceType<Constructor>> {
  const Service = v1[name] as unknown as Constructor;
  if (folder === undefined) return new Service(address, credentials.createInsecure());
  const [ca, key, certificate] = await Promise.all(
    ['ca.crt', 'client.key', 'client.crt'].map((file) => readFile(join(folder, file))),
  );
  return new Service(address, credentials.createSsl(ca ?? null, key ?? null, certificate ?? null));
}

/** Makes a unary call. Rejects with the status. */
export function call(client: InstanceType<Constructor>, method: string, request: object): Promise<any> {
  return new Promise((resolve, reject) => {
    client[method]?.(request, (error: Error | null, response: unknown) =>
      error === null ? resolve(response) : reject(error),
    );
  });
}

/** Opens a stream that lasts (reflection of the server is idle until asked) and tells when it ends. */
export async function openCall(
  address: string,
  folder: string | undefined,
): Promise<{ readonly ended: Promise<void> }> {
  const client = await connectClient(address, folder, 'VerbService');
  const stream = (client['Terminal'] as unknown as () => NodeJS.ReadableStream)();
  const ended = new Promise<void>((resolve) => {
    for (const event of ['error', 'end', 'close']) stream.on(event, () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    stream.once('data', () => resolve());
    stream.once('error', reject);
  });
  return { ended: ended.finally(() => client.close()) };
}
