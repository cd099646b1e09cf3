/** A client's terminal: its sizes, what came early, and who holds whom back. */
import { EventEmitter } from 'node:events';
import type { Connection, ServerChannel } from 'ssh2';
import { expect, test } from 'vitest';
import { ChannelTerminal } from '../../../../src/front/sessions/channelTerminal.ts';

function open() {
  const calls: string[] = [];
  const channel = Object.assign(new EventEmitter(), {
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
  });
  const terminal = new ChannelTerminal({
    connection: { _sock: { writableNeedDrain: false } } as unknown as Connection,
    channel: channel as unknown as ServerChannel,
    type: 'xterm',
    environment: new Map(),
    size: { columns: 80, rows: 24 },
  });
  const heard: string[] = [];
  const listen = (): void =>
    terminal.attach({
      input: (data) => heard.push(data.toString()),
      resize: (columns, rows) => heard.push(`${columns}x${rows}`),
      end: () => heard.push('closed'),
    });
  return { terminal, channel, calls, heard, listen };
}

test('a size is told before what is typed behind it', () => {
  const { terminal, channel, heard, listen } = open();
  listen();
  terminal.resize({ columns: 90, rows: 31 });
  channel.emit('data', Buffer.from('a'));
  expect(heard).toEqual(['90x31', 'a']);
});

test('what is typed early is told in order, and the end of input is Ctrl-D', () => {
  const { channel, heard, listen } = open();
  channel.emit('data', Buffer.from('a'));
  listen();
  channel.emit('data', Buffer.from('b'));
  channel.emit('end');
  channel.emit('close');
  expect(heard).toEqual(['a', 'b', '\u0004', 'closed']);
});

test('one that is gone is read to its end, whoever holds it back', () => {
  const { terminal, calls } = open();
  terminal.hold(true);
  terminal.left();
  terminal.hold(true);
  expect(calls).toEqual(['pause', 'resume']);
});

test('who types very much early has to wait', () => {
  const { channel, calls, heard, listen } = open();
  for (let i = 0; i < 65; i++) channel.emit('data', Buffer.alloc(1024, 'x'));
  expect(calls).toEqual(['pause']);
  listen();
  expect(calls).toEqual(['pause', 'resume']);
  expect(heard.join('')).toHaveLength(65 * 1024);
});

test('held back, the client is read no more until it is let go', () => {
  const { terminal, calls } = open();
  terminal.hold(true);
  terminal.hold(false);
  expect(calls).toEqual(['pause', 'resume']);
});
