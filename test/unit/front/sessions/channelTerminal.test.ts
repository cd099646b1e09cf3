/** The client's terminal: its size, early input, and flow control. */
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
  const received: string[] = [];
  const attach = (): void =>
    terminal.attach({
      input: (data) => received.push(data.toString()),
      resize: (columns, rows) => received.push(`${columns}x${rows}`),
      end: () => received.push('closed'),
    });
  return { terminal, channel, calls, received, attach };
}

test('a terminal passes on a new size before the input that follows it', () => {
  const { terminal, channel, received, attach } = open();
  attach();
  terminal.resize({ columns: 90, rows: 31 });
  channel.emit('data', Buffer.from('a'));
  expect(received).toEqual(['90x31', 'a']);
});

test('a terminal passes on early input in order, and the end of input as Ctrl-D', () => {
  const { channel, received, attach } = open();
  channel.emit('data', Buffer.from('a'));
  attach();
  channel.emit('data', Buffer.from('b'));
  channel.emit('end');
  channel.emit('close');
  expect(received).toEqual(['a', 'b', '\u0004', 'closed']);
});

test('a terminal whose client is gone is read to its end, even when it is held', () => {
  const { terminal, calls } = open();
  terminal.hold(true);
  terminal.disconnected();
  terminal.hold(true);
  expect(calls).toEqual(['pause', 'resume']);
});

test('a terminal pauses its client when too much input arrives early', () => {
  const { channel, calls, received, attach } = open();
  for (let i = 0; i < 65; i++) channel.emit('data', Buffer.alloc(1024, 'x'));
  expect(calls).toEqual(['pause']);
  attach();
  expect(calls).toEqual(['pause', 'resume']);
  expect(received.join('')).toHaveLength(65 * 1024);
});

test('a terminal that is held pauses its client until it is released', () => {
  const { terminal, calls } = open();
  terminal.hold(true);
  terminal.hold(false);
  expect(calls).toEqual(['pause', 'resume']);
});
