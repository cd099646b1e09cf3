/** Limits how fast the server reads from one client. */
import type { Connection } from 'ssh2';
import { internalsOf } from '../transport/internals.ts';

/** Answers that a client may leave unread while it sends further requests, in bytes. */
const maxUnreadAnswerBytes = 256 * 1024;

/**
 * One client's packets may occupy the event loop for `maxTurnShareMs` in each turn of `turnMs`, in milliseconds. The
 * keystrokes of all other clients wait meanwhile.
 */
const turnMs = 100;
const maxTurnShareMs = 15;

/**
 * Reads from a client no faster than the client reads answers, and no more than its share of the event loop. ssh2
 * writes every answer whether or not the client reads it, before authentication too, so that requests of 40 bytes fill
 * memory. It also handles packets as fast as they arrive, so that a flood from one client delays all others. Unread
 * data waits in the kernel and then at the client.
 */
export function paceReading(connection: Connection): void {
  const { _sock: socket, _protocol: protocol } = internalsOf(connection);
  let isOutputUnread = false;
  let isOverShare = false;
  let turnBeganMs = performance.now();
  let usedMs = 0;
  let nextTurn: NodeJS.Timeout | undefined;
  const resume = (): void => {
    if (!isOutputUnread && !isOverShare) socket.resume();
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
    if (!isOverShare && usedMs > maxTurnShareMs) {
      isOverShare = true;
      socket.pause();
      nextTurn = setTimeout(() => {
        isOverShare = false;
        resume();
      }, turnMs);
    }
    if (!isOutputUnread && socket.writableLength > maxUnreadAnswerBytes) {
      isOutputUnread = true;
      socket.pause();
      socket.once('drain', () => {
        isOutputUnread = false;
        resume();
      });
    }
  };
  socket.once('close', () => clearTimeout(nextTurn));
}
