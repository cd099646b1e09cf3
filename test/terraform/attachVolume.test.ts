import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { source } from './workspace.ts';

const script = join(source, 'aws/files/attach-volume.sh');
const secret = 'secret/with+signs=';
const region = 'eu-central-1';

/** What the metadata service of a machine answers, as AWS lays it out. */
const metadata: Readonly<Record<string, string>> = {
  'instance-id': 'i-0123456789abcdef0',
  'placement/region': region,
  'services/domain': 'amazonaws.com',
  'iam/security-credentials/': 'jump-role',
  'iam/security-credentials/jump-role': JSON.stringify(
    {
      Code: 'Success',
      Type: 'AWS-HMAC',
      AccessKeyId: 'AKIDEXAMPLE',
      SecretAccessKey: secret,
      Token: 'session/token==',
    },
    null,
    2,
  ),
};

const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex');
const hmac = (key: string | Buffer, value: string): Buffer => createHmac('sha256', key).update(value).digest();

/**
 * Returns the signature that a request should have, by its own list of signed headers:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
function expectedSignature(request: IncomingMessage, body: string): string {
  const signed = /SignedHeaders=([^,]+)/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const time = String(request.headers['x-amz-date']);
  const headers = signed.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = ['POST', '/', '', headers.join(''), signed, sha256(body)].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/ec2/aws4_request`;
  const key = [time.slice(0, 8), region, 'ec2', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')).toString('hex');
}

describe('the script that attaches a volume on AWS', () => {
  let server: Server;
  let calls: { readonly request: IncomingMessage; readonly body: string }[];
  /** Answers of EC2, in turn; the last one stays. */
  let answers: (readonly [status: number, body: string])[];

  const attached = [200, '<AttachVolumeResponse><status>attaching</status></AttachVolumeResponse>'] as const;
  const inUse = [
    400,
    '<Response><Errors><Error><Code>VolumeInUse</Code><Message>vol-1 is already attached to an instance</Message></Error></Errors></Response>',
  ] as const;

  function answerMetadata(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (path === 'api/token') {
      const good = request.method === 'PUT' && request.headers['x-aws-ec2-metadata-token-ttl-seconds'] !== undefined;
      response.writeHead(good ? 200 : 400).end('imds-token');
      return;
    }
    const found = metadata[path.replace('meta-data/', '')];
    const status = request.headers['x-aws-ec2-metadata-token'] !== 'imds-token' ? 401 : found === undefined ? 404 : 200;
    response.writeHead(status).end(found);
  }

  beforeEach(async () => {
    calls = [];
    answers = [attached];
    server = createServer((request, response) => {
      const path = request.url ?? '';
      if (path.startsWith('/latest/')) {
        answerMetadata(path.slice('/latest/'.length), request, response);
        return;
      }
      void text(request).then((body) => {
        calls.push({ request, body });
        const [status, answer] = (answers.length > 1 ? answers.shift() : answers[0]) ?? attached;
        response.writeHead(status).end(answer);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const attach = (more: Readonly<Record<string, string>> = {}) => {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = {
      ATTACH_METADATA: `${address}/latest`,
      ATTACH_ENDPOINT: address,
      ATTACH_PAUSE: '0',
      no_proxy: '127.0.0.1',
    };
    return execa('bash', [script], { env: { ...env, ...more }, reject: false });
  };

  it('asks EC2 for its volume, with a signature that EC2 accepts', async () => {
    expect(await attach()).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/ is attached$/) as string });
    expect(calls).toHaveLength(1);
    const [{ request, body }] = calls as [(typeof calls)[number]];
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      Action: 'AttachVolume',
      Version: '2016-11-15',
      VolumeId: 'VOLUME_OF_THIS_SERVER',
      InstanceId: 'i-0123456789abcdef0',
      Device: '/dev/sdf',
    });
    expect(request.headers['x-amz-security-token']).toBe('session/token==');
    expect(request.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/ec2\/aws4_request, SignedHeaders=/,
    );
    expect(request.headers.authorization).toMatch(/SignedHeaders=[^,]*x-amz-security-token/);
    expect(/Signature=(\w+)/.exec(request.headers.authorization ?? '')?.[1]).toBe(expectedSignature(request, body));
  });

  it('tries again while the machine before it still has the volume', async () => {
    answers = [inUse, inUse, attached];
    const { exitCode, stdout } = await attach();
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/trying again: vol-1 is already attached to an instance/);
    expect(calls).toHaveLength(3);
  });

  it('gives up after a while, and says what EC2 said', async () => {
    answers = [inUse];
    const { exitCode, stderr } = await attach({ ATTACH_PATIENCE: '0' });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/VOLUME_OF_THIS_SERVER was not attached within 0 s: vol-1 is already attached/);
  });

  it('shows its secret to no other program of the machine', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'containarium-attach-'));
    try {
      const { stdout: curl } = await execa('which', ['curl']);
      await writeFile(join(folder, 'curl'), `#!/bin/bash\nprintf '%s\\n' "$*" >> ${folder}/seen\nexec ${curl} "$@"\n`);
      await chmod(join(folder, 'curl'), 0o755);
      const { exitCode, stdout, stderr } = await attach({ PATH: `${folder}:${process.env['PATH'] ?? ''}` });
      expect(exitCode).toBe(0);
      // curl gets it on its standard input.
      const seen = await readFile(join(folder, 'seen'), 'utf8');
      expect(seen).toMatch(/Action=AttachVolume/);
      for (const each of [secret, 'session/token==', 'imds-token']) expect(seen + stdout + stderr).not.toContain(each);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
