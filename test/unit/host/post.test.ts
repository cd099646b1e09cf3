/** Documents that are sent to a web server. The server is a real one, of this test. */
import { createHmac } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isFailure } from '../../../src/domain/failure.ts';
import { post, type Posting } from '../../../src/host/outside/post.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let received: Received[];
/** What the server answers, one after the other; the last one from then on. Null: nothing. */
let answers: (number | null)[];

beforeEach(async () => {
  [received, answers] = [[], [204]];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (typeof answer === 'number') response.writeHead(answer, { location: '/elsewhere' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const quick = { attemptMs: 5000, retries: 2, waitMs: 1 };

function send(more: Partial<Posting> = {}, limits = quick): Promise<void> {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/services/SECRET`;
  return post({ url, id: 'M1', document: { type: 'test', text: 'ü' }, ...more }, limits);
}

describe('a document', () => {
  it('is sent as JSON', async () => {
    await send();
    expect(received).toMatchObject([
      { path: '/services/SECRET', headers: { 'content-type': 'application/json' }, body: '{"type":"test","text":"ü"}' },
    ]);
    expect(received[0]?.headers).not.toHaveProperty('webhook-signature');
  });

  it.each([500, 503, 429])('is sent again after status %d', async (status) => {
    answers = [status, status, 200];
    await send();
    expect(received).toHaveLength(3);
  });

  it('is given up after three attempts', async () => {
    answers = [503];
    await expect(send()).rejects.toMatchObject({ code: 'undeliverable', why: 'it answers with status 503' });
    expect(received).toHaveLength(3);
  });

  it.each([400, 401, 404, 410])('is sent once if the answer is %d', async (status) => {
    answers = [status];
    await expect(send()).rejects.toMatchObject({ code: 'undeliverable' });
    expect(received).toHaveLength(1);
  });

  it.each([301, 302, 307, 308])('does not follow the redirect of status %d', async (status) => {
    answers = [status];
    await expect(send()).rejects.toMatchObject({ why: expect.stringContaining('not followed') as string });
    expect(received.map(({ path }) => path)).toEqual(['/services/SECRET']);
  });

  it('does not wait for a server that does not answer', async () => {
    answers = [null];
    await expect(send({}, { ...quick, attemptMs: 20, retries: 0 })).rejects.toMatchObject({
      code: 'undeliverable',
      why: 'it did not answer within 0.02 s',
    });
  });

  it('ends when it is cancelled', async () => {
    const abort = new AbortController();
    answers = [null];
    const sent = send({ signal: abort.signal });
    server.once('request', () => abort.abort());
    await expect(sent).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('fails without the secret that the address may have', async () => {
    const failure = await send({ url: 'http://127.0.0.1:9/services/SECRET?token=SECRET' }).catch(
      (error: unknown) => error,
    );
    expect(isFailure(failure, 'undeliverable')).toBe(true);
    expect(JSON.stringify(failure)).not.toContain('SECRET');
    expect(String(failure)).not.toContain('SECRET');
  });
});

describe('a signature', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-post-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const signed = async (text: string, mode = 0o600): Promise<void> => {
    const path = join(folder, 'secret');
    await writeFile(path, text);
    await chmod(path, mode);
    await send({ secret: { setting: 'alerts.webhookSecretFile', path } });
  };

  it.each([
    ['plain', 'a secret\n', Buffer.from('a secret')],
    [
      'Standard Webhooks',
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n',
      Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'),
    ],
  ])('is made with a secret in %s form', async (_form, text, key) => {
    await signed(text);
    const { headers, body } = received[0] as Received;
    const content = `M1.${String(headers['webhook-timestamp'])}.${body}`;
    expect(headers['webhook-id']).toBe('M1');
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(content).digest('base64')}`);
  });

  it('is not made with a secret that others can read, and nothing is sent', async () => {
    await expect(signed('a secret', 0o644)).rejects.toMatchObject({
      code: 'settings',
      why: 'other accounts may read or change it',
    });
    expect(received).toEqual([]);
  });
});
