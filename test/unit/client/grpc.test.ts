/** The client of gRPC, against servers of HTTP/2 that do what they like. */
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect, type ClientHttp2Session } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, describe, expect, it } from 'vitest';
import { Call } from '../../../src/client/grpc/call.ts';
import { Channel } from '../../../src/client/grpc/channel.ts';
import { frame } from '../../../src/client/grpc/frames.ts';
import { CallEventSchema, VerbService } from '../../../src/grpc/generated/containarium/v1/verbs_pb.ts';
import { ErrorInfoSchema, StatusSchema } from '../../../src/grpc/generated/google/rpc/status_pb.ts';

let server: Http2Server | undefined;
let session: ClientHttp2Session | undefined;
afterEach(() => {
  session?.destroy();
  server?.close();
});

/** Makes a call, which the server answers with `act`. */
async function call(act: (stream: ServerHttp2Stream) => void, signal?: AbortSignal): Promise<unknown[]> {
  server = createServer();
  server.on('session', (opened) => opened.on('error', () => undefined));
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    act(stream);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on('error', () => undefined);
  const made = new Call(session, VerbService.method.call, { signal });
  made.send({ verb: 'list', inputJson: '{}' });
  made.end();
  const events: unknown[] = [];
  for await (const { event } of made) events.push(event.value);
  return events;
}

const note = (text: string): Buffer =>
  frame(toBinary(CallEventSchema, create(CallEventSchema, { event: { case: 'note', value: text } })));
const headers = { ':status': 200, 'content-type': 'application/grpc+proto' };
const answer = (stream: ServerHttp2Stream, trailers: Record<string, string>, ...bodies: Buffer[]): void => {
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  for (const body of bodies) stream.write(body);
  stream.end();
};

describe('a call', () => {
  it('gives the messages of a server, and ends with its status', async () => {
    expect(await call((stream) => answer(stream, { 'grpc-status': '0' }, note('one'), note('two')))).toEqual([
      'one',
      'two',
    ]);
  });

  it('fails with the failure in its details', async () => {
    const info = create(ErrorInfoSchema, {
      reason: 'NOT_FOUND',
      domain: 'containarium',
      metadata: { code: 'not-found', what: 'container', why: 'no such container', next: 'see "list"' },
    });
    const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: toBinary(ErrorInfoSchema, info) }];
    const status = toBinary(StatusSchema, create(StatusSchema, { code: 5, details }));
    const trailers = { 'grpc-status': '5', 'grpc-status-details-bin': Buffer.from(status).toString('base64') };
    await expect(call((stream) => answer(stream, trailers))).rejects.toMatchObject({
      code: 'not-found',
      why: 'no such container',
      next: 'see "list"',
    });
  });

  it.each([
    [{ 'grpc-status': '14', 'grpc-message': 'busy%20now' }, 'core-unavailable', /busy now/],
    [{ 'grpc-status': '14', 'grpc-message': '%' }, 'core-unavailable', /%/],
    [{ 'grpc-status': '12' }, 'core-unavailable', /does not offer/],
    [{ 'grpc-status': '4' }, 'timeout', /in time/],
    [{ 'grpc-status': '1' }, 'cancelled', /cancelled/],
    [{ 'grpc-status': '5', 'grpc-status-details-bin': '%%%' }, 'core-unavailable', /./],
    [{ 'grpc-status': 'many' }, 'core-unavailable', /server of gRPC/],
    [{}, 'core-unavailable', /server of gRPC/],
  ])('with the trailers %j fails', async (trailers, code, why) => {
    await expect(call((stream) => answer(stream, trailers))).rejects.toMatchObject({
      code,
      why: expect.stringMatching(why),
    });
  });

  it('fails for an answer that is no gRPC', async () => {
    await expect(
      call((stream) => {
        stream.respond({ ':status': 404, 'content-type': 'text/html' });
        stream.end('<html>not here</html>');
      }),
    ).rejects.toMatchObject({ code: 'unexpected-output' });
    await expect(call((stream) => stream.respond({ ':status': 503 }, { endStream: true }))).rejects.toMatchObject({
      code: 'core-unavailable',
    });
  });

  it.each([
    ['its stream', (stream: ServerHttp2Stream) => stream.close(2)],
    ['its connection', (stream: ServerHttp2Stream) => stream.session?.destroy()],
    ['its socket', (stream: ServerHttp2Stream) => stream.session?.socket.destroy()],
  ])('fails if the server ends %s', async (_, act) => {
    await expect(
      call((stream) => {
        stream.respond(headers, { waitForTrailers: true });
        stream.write(note('one'), () => act(stream));
      }),
    ).rejects.toMatchObject({ code: 'core-unavailable' });
  });

  it('fails when its caller leaves it, and says that a change continues', async () => {
    const controller = new AbortController();
    await expect(
      call((stream) => {
        stream.respond(headers, { waitForTrailers: true });
        controller.abort();
      }, controller.signal),
    ).rejects.toMatchObject({ code: 'core-unavailable', next: expect.stringContaining('continues') });
  });
});

describe('a connection', () => {
  const identity = { authority: '', certificate: '', key: '', name: 'carol', expiresAt: new Date() };

  it.each(['', ':50051', 'a b:1', 'host:99999'])('to %j is refused as no address', async (address) => {
    await expect(Channel.open(address, identity)).rejects.toMatchObject({ code: 'usage' });
  });
});
