import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BoundedReader } from '../../../src/protocol/boundedReader.ts';

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

it('BoundedReader leaves no timer running when the stream ends within a message', async () => {
  const before = timers();
  const stream = new PassThrough();
  const reader = new BoundedReader(stream, 1000);
  reader.listen(() => undefined);
  stream.write('Content-Length: 100\r\n\r\n{"jsonrpc":');
  await turn();
  await turn();
  stream.destroy();
  await turn();
  expect(timers()).toBe(before);
  reader.dispose();
});
