import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { Connection } from 'ssh2';
import { beforeEach, expect, test } from 'vitest';
import { joinedWritesOf, joinWrites } from '../../../../src/front/transport/joinedWrites.ts';

/** What each write to the socket had. */
let sent: string[];
let socket: Writable;
let connection: EventEmitter & { _protocol: { _onWrite: (data: Buffer) => void }; _sock: Writable };

const client = (): Connection => connection as unknown as Connection;
const write = (...parts: string[]): void => {
  for (const part of parts) connection._protocol._onWrite(Buffer.from(part));
};

beforeEach(() => {
  sent = [];
  socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      sent.push(chunk.toString());
      done();
    },
    writev(chunks, done) {
      sent.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  connection = Object.assign(new EventEmitter(), {
    _protocol: { _onWrite: (data: Buffer): void => void socket.write(data) },
    _sock: socket,
  });
  joinWrites(client());
});

test('the parts of a packet are sent as one write, before the next turn of the event loop', async () => {
  write('length', 'packet', 'tag');
  expect(sent).toEqual([]);
  await new Promise((resolve) => process.nextTick(resolve));
  expect(sent).toEqual(['lengthpackettag']);
});

test('packets after which more may follow are sent at the end of the turn', async () => {
  joinedWritesOf(client())?.await();
  write('output');
  await new Promise((resolve) => process.nextTick(resolve));
  write('status');
  expect(sent).toEqual([]);
  await turn();
  expect(sent).toEqual(['outputstatus']);
  write('next');
  await new Promise((resolve) => process.nextTick(resolve));
  expect(sent).toEqual(['outputstatus', 'next']);
});

test('flush sends at once what was written', () => {
  joinedWritesOf(client())?.await();
  write('output', 'status');
  joinedWritesOf(client())?.flush();
  expect(sent).toEqual(['outputstatus']);
});

test('the answer to a login is sent before what follows from the login', () => {
  connection.on('ready', () => expect(sent).toEqual(['success']));
  write('success');
  connection.emit('ready');
  expect.assertions(1);
});

test('the end of the socket loses nothing', async () => {
  joinedWritesOf(client())?.await();
  write('goodbye');
  socket.end();
  await turn();
  expect(sent).toEqual(['goodbye']);
});
