import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { FrontProcess } from '../../../src/core/frontProcess.ts';
import type { Listening } from '../../../src/protocol/messages.ts';

const connection = pathToFileURL(join(import.meta.dirname, '../../../src/protocol/connection.ts')).href;
const messages = pathToFileURL(join(import.meta.dirname, '../../../src/protocol/messages.ts')).href;

/** A front that stands still for 7 s before it answers for the first time, as one that loads its code on a slow machine. */
const slow = `
  import { Socket } from 'node:net';
  import { connectOver, notify } from '${connection}';
  import { messages } from '${messages}';
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 7000);
  const core = connectOver(new Socket({ fd: 3 }));
  core.onRequest(messages.ping, () => null);
  core.onNotification(messages.drain, () => process.exit(0));
  core.listen();
  notify(core, messages.listening, { address: '127.0.0.1', port: 1 });
`;

it('lets a front take its time to start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'containarium-front-'));
  const entry = join(folder, 'front.mjs');
  await writeFile(entry, slow);
  let front: FrontProcess | undefined;
  try {
    let first: number | undefined;
    const where = await new Promise<Listening>((resolve, reject) => {
      front = new FrontProcess({
        entry,
        log: pino({ level: 'silent' }),
        start: () => {
          throw new Error('not asked for');
        },
        serve: () => undefined,
        onListening: resolve,
        onFatal: reject,
      });
      first = front.pid;
    });
    expect(where).toEqual({ address: '127.0.0.1', port: 1 });
    expect(front?.pid).toBe(first);
  } finally {
    await front?.stop('the test is over');
    await rm(folder, { recursive: true });
  }
});
