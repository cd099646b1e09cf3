/** Limits how fast the server reads from one client. */
import type { Connection } from 'ssh2';
import { shareOf } from '../transport/clientShare.ts';
import { internalsOf } from '../transport/internals.ts';

/** Answers that a client may leave unread while it sends further requests, in bytes. */
const maxUnreadAnswerBytes = 256 * 1024;

/**
 * Reads from a client no faster than the client reads answers, and no more than its share of the event loop. ssh2
 * writes every answer whether or not the client reads it, before authentication too, so that requests of 40 bytes fill
 * memory. It also handles packets as fast as they arrive, so that a flood from one client delays all others. Unread
 * data waits in the kernel and then at the client.
 */
export function paceReading(connection: Connection): void {
  const { _sock: socket, _protocol: protocol } = internalsOf(connection);
  const share = shareOf(connection);
  let isOutputUnread = false;
  let isOverShare = false;
  const resume = (): void => {
    if (!isOutputUnread && !isOverShare) socket.resume();
  };
  share.follow((isOver) => {
    isOverShare = isOver;
    if (isOver) socket.pause();
    else resume();
  });
  const parse = protocol.parse.bind(protocol);
  protocol.parse = (data, from, to) => {
    const beganMs = performance.now();
    parse(data, from, to);
    share.spend(performance.now() - beganMs);
    if (!isOutputUnread && socket.writableLength > maxUnreadAnswerBytes) {
      isOutputUnread = true;
      socket.pause();
      socket.once('drain', () => {
        isOutputUnread = false;
        resume();
      });
    }
  };
  socket.once('close', () => share.end());
}
