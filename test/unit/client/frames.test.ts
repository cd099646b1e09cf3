import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frame, Frames } from '../../../src/client/grpc/frames.ts';

describe('messages in the body of a call', () => {
  it('arrive whole, however the body is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), fc.array(fc.nat(50), { minLength: 1 }), (sent, cuts) => {
        const body = Buffer.concat(sent.map(frame));
        const frames = new Frames();
        const received: Buffer[] = [];
        for (let at = 0, i = 0; at < body.length; i++) {
          const next = at + 1 + (cuts[i % cuts.length] ?? 0);
          received.push(...frames.push(body.subarray(at, next)));
          at = next;
        }
        expect(received.map((each) => each.toString('hex'))).toEqual(
          sent.map((each) => Buffer.from(each).toString('hex')),
        );
      }),
    );
  });

  it.each([
    ['is compressed', Buffer.from([1, 0, 0, 0, 0])],
    ['is longer than any', Buffer.from([0, 255, 255, 255, 255])],
    ['is a page', Buffer.from('<html>')],
  ])('are refused if one %s', (_, body) => {
    expect(() => new Frames().push(body)).toThrow('no message of gRPC');
  });
});
