import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { StreamMessageReader, type Message } from 'vscode-jsonrpc/node';
import { WholeMessageWriter } from '../../../src/protocol/wholeMessageWriter.ts';

const message: Message & { readonly text: string } = { jsonrpc: '2.0', text: 'größer, 容器' };

test('a message is one write, which the library reads', async () => {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const read = new Promise<Message>((resolve) => new StreamMessageReader(stream).listen(resolve));
  await new WholeMessageWriter(stream).write(message);
  expect(await read).toEqual(message);
  expect(chunks).toHaveLength(1);
});

test('a message to a closed stream rejects and is reported', async () => {
  const stream = new PassThrough();
  const writer = new WholeMessageWriter(stream);
  const reported: number[] = [];
  writer.onError(([, , count]) => count !== undefined && reported.push(count));
  stream.destroy();
  await expect(writer.write(message)).rejects.toThrow();
  expect(reported).toEqual([1]);
});
