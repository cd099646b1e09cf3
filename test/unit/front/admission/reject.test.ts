/** Rejected clients: what they receive, and how long they may take to read it. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { reject } from '../../../../src/front/admission/reject.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Rejects a client that neither reads nor closes. */
function client() {
  const state: { received: Buffer; isClosed: boolean } = { received: Buffer.alloc(0), isClosed: false };
  const socket = Object.assign(new EventEmitter(), {
    resume: () => undefined,
    end: (data: Buffer) => {
      state.received = data;
    },
    destroy: () => {
      if (!state.isClosed) setImmediate(() => socket.emit('close'));
      state.isClosed = true;
    },
  });
  reject(socket as unknown as Socket, 'Not now.');
  return state;
}

it('a rejected client receives one line, an identification and a disconnect message (RFC 4253, sections 4.2, 6 and 11.1)', async () => {
  const { received } = client();
  const head = 'Not now.\r\nSSH-2.0-containarium\r\n';
  expect(received.subarray(0, head.length).toString()).toBe(head);
  const packet = received.subarray(head.length);
  // An unencrypted packet: its length, the length of its padding, and a multiple of eight in all.
  expect(packet.readUInt32BE(0)).toBe(packet.length - 4);
  expect(packet.length % 8).toBe(0);
  expect(packet[4]).toBeGreaterThanOrEqual(4);
  expect([packet[5], packet.readUInt32BE(6), packet.subarray(14, 22).toString()]).toEqual([1, 12, 'Not now.']);
  await vi.advanceTimersByTimeAsync(2010);
});

it('256 rejected clients at a time have two seconds to read, and further ones are closed at once', async () => {
  const clients = Array.from({ length: 300 }, client);
  expect(clients.filter(({ isClosed }) => isClosed)).toHaveLength(44);
  expect(clients.at(-1)?.received.toString()).toContain('Not now.');
  await vi.advanceTimersByTimeAsync(1999);
  expect(clients.filter(({ isClosed }) => isClosed)).toHaveLength(44);
  await vi.advanceTimersByTimeAsync(1);
  expect(clients.filter(({ isClosed }) => isClosed)).toHaveLength(300);
  // Their slots are free again.
  await vi.advanceTimersByTimeAsync(10);
  expect(client().isClosed).toBe(false);
  await vi.advanceTimersByTimeAsync(2010);
});
