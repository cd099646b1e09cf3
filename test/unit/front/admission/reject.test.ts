/** Clients that are told why they are not let in: each may take its time to read that, and none of them for long. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { reject } from '../../../../src/front/admission/reject.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A client that neither reads nor goes. */
function client() {
  const state: { said: Buffer; isGone: boolean } = { said: Buffer.alloc(0), isGone: false };
  const socket = Object.assign(new EventEmitter(), {
    resume: () => undefined,
    end: (data: Buffer) => {
      state.said = data;
    },
    destroy: () => {
      if (!state.isGone) setImmediate(() => socket.emit('close'));
      state.isGone = true;
    },
  });
  reject(socket as unknown as Socket, 'Not now.');
  return state;
}

it('what they are told is one line, an identification, and a disconnect message (RFC 4253, sections 4.2, 6 and 11.1)', async () => {
  const { said } = client();
  const head = 'Not now.\r\nSSH-2.0-containarium\r\n';
  expect(said.subarray(0, head.length).toString()).toBe(head);
  const packet = said.subarray(head.length);
  // A packet without encryption: its length, that of its padding, and a multiple of eight in all.
  expect(packet.readUInt32BE(0)).toBe(packet.length - 4);
  expect(packet.length % 8).toBe(0);
  expect(packet[4]).toBeGreaterThanOrEqual(4);
  expect([packet[5], packet.readUInt32BE(6), packet.subarray(14, 22).toString()]).toEqual([1, 12, 'Not now.']);
  await vi.advanceTimersByTimeAsync(2010);
});

it('256 at a time have two seconds, further ones are closed at once', async () => {
  const clients = Array.from({ length: 300 }, client);
  expect(clients.filter(({ isGone }) => isGone)).toHaveLength(44);
  expect(clients.at(-1)?.said.toString()).toContain('Not now.');
  await vi.advanceTimersByTimeAsync(1999);
  expect(clients.filter(({ isGone }) => isGone)).toHaveLength(44);
  await vi.advanceTimersByTimeAsync(1);
  expect(clients.filter(({ isGone }) => isGone)).toHaveLength(300);
  // Their places are free again.
  await vi.advanceTimersByTimeAsync(10);
  expect(client().isGone).toBe(false);
  await vi.advanceTimersByTimeAsync(2010);
});
