/** Guards against clients that send faster than they read, or more than their share. */
import type { Connection } from 'ssh2';
import { internalsOf } from '../transport/internals.ts';

/** Answers that a client may leave unread while it goes on asking, in bytes. */
const maxUnreadAnswerBytes = 256 * 1024;

/**
 * How long one client's packets may keep the event loop in each such time, in milliseconds: everybody else's keys wait
 * meanwhile.
 */
const turnMs = 100;
const maxTurnShareMs = 15;

/**
 * Reads from a client no faster than it reads, and no more than its share. ssh2 writes each answer whether or not
 * anybody takes it, before authentication too, so that requests of 40 bytes fill the memory; and it takes packets as
 * fast as they come, so that one who floods delays all. What is not read waits in the kernel, and then at the client.
 */
export function paceReading(connection: Connection): void {
  const { _sock: socket, _protocol: protocol } = internalsOf(connection);
  let unread = false;
  let overdrawn = false;
  let turnBeganMs = performance.now();
  let usedMs = 0;
  let nextTurn: NodeJS.Timeout | undefined;
  const goOn = (): void => {
    if (!unread && !overdrawn) socket.resume();
  };
  const parse = protocol.parse.bind(protocol);
  protocol.parse = (data, from, to) => {
    const beganMs = performance.now();
    parse(data, from, to);
    const nowMs = performance.now();
    if (nowMs - turnBeganMs > turnMs) {
      turnBeganMs = beganMs;
      usedMs = 0;
    }
    usedMs += nowMs - beganMs;
    if (!overdrawn && usedMs > maxTurnShareMs) {
      overdrawn = true;
      socket.pause();
      nextTurn = setTimeout(() => {
        overdrawn = false;
        goOn();
      }, turnMs);
    }
    if (!unread && socket.writableLength > maxUnreadAnswerBytes) {
      unread = true;
      socket.pause();
      socket.once('drain', () => {
        unread = false;
        goOn();
      });
    }
  };
  socket.once('close', () => clearTimeout(nextTurn));
}
