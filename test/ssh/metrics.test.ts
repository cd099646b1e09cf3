/** Metrics for Prometheus: their values, and that no request to their port disturbs the server. */
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { withAdmins } from '../support/admins.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, programInGroups, startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let server: TestServer;
let admin: TestKey;
let stranger: TestKey;
let port: number;

beforeAll(async () => {
  const folder = await temporaryFolder();
  [admin, stranger] = await Promise.all([makeKey(folder, 'admin'), makeKey(folder, 'stranger')]);
  server = await startServer({
    program: await programInGroups(),
    env: { CONTAINARIUM_LOG: 'info' },
    config: { metrics: { listen: '127.0.0.1:0' } },
    prepare: withAdmins([{ name: 'chief', role: 'admin', keys: [admin] }]),
  });
  const line =
    server
      .log()
      .split('\n')
      .find((text) => text.includes('/metrics')) ?? '{}';
  port = (JSON.parse(line) as { port: number }).port;
});

function ask(
  options: { path?: string; method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/metrics', ...options }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.once('error', reject);
    asked.end();
  });
}

/** Returns the samples by name and labels, as in the text format. */
async function figures(): Promise<Map<string, number>> {
  const { status, text } = await ask();
  expect(status).toBe(200);
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, value] = /^([a-z_][a-z0-9_]*(?:\{[^{}]*\})?) (\S+)$/i.exec(line) ?? [];
    if (name === undefined || Number.isNaN(Number(value))) throw new Error(`not a sample: ${line}`);
    samples.set(name, Number(value));
  }
  return samples;
}

test('the metrics count logins, rejections and calls, without names, keys and addresses', async () => {
  await server.ssh(['list'], { key: admin.path });
  await server.ssh(['info', 'nobody-here'], { key: admin.path });
  await server.ssh(['list'], { key: stranger.path, user: 'evil' });
  await server.ssh(['create', 'Bad Name'], { key: admin.path });
  const found = await eventually(async () => {
    const now = await figures();
    return now.get('containarium_refusals_total{reason="key"}') === 1 ? now : undefined;
  }, 'the refusal is counted');
  expect(found.get('containarium_logins_total{entry_point="manage"}')).toBe(3);
  expect(found.get('containarium_verb_duration_seconds_count{verb="list",outcome="ok"}')).toBe(1);
  expect(found.get('containarium_verb_duration_seconds_count{verb="info",outcome="failed"}')).toBe(1);
  expect(found.get('containarium_incus_up')).toBe(1);
  expect(found.get('containarium_sessions{entry_point="manage"}')).toBe(0);
  expect(found.get('containarium_front_restarts_total')).toBe(0);
  expect(found.get('containarium_operations_in_progress')).toBe(0);
  expect(found.get('containarium_journal_head_seq')).toBeGreaterThan(5);
  expect([...found.keys()].some((name) => name.startsWith('containarium_build_info{version="'))).toBe(true);
  expect([...found.keys()].some((name) => name.startsWith('nodejs_eventloop_lag_'))).toBe(true);
  expect([...found.keys()].join('\n')).not.toMatch(/evil|nobody-here|chief|SHA256|127\.0\.0\.1/);
});

test('the metrics are the answer to GET /metrics for this host and to no other request', async () => {
  expect((await ask({ path: '/' })).status).toBe(404);
  expect((await ask({ path: '/metrics?x=1' })).status).toBe(404);
  expect((await ask({ method: 'POST' })).status).toBe(405);
  expect((await ask({ method: 'DELETE' })).status).toBe(405);
  expect((await ask({ headers: { 'content-length': '5' } }).catch(() => ({ status: 413 }))).status).toBe(413);
  expect((await ask({ headers: { host: 'attacker.example' } })).status).toBe(421);
  expect((await ask({ headers: { 'x-long': 'x'.repeat(8000) } }).catch(() => ({ status: 431 }))).status).toBe(431);
});

test('the metrics and the server survive abuse of the port', async () => {
  const garbage = [
    '\0'.repeat(5000),
    'GET /metrics HTTP/9.9\r\n\r\n',
    'SSH-2.0-x\r\n',
    `GET ${'/'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nffffffffff\r\n',
    'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(500),
    '',
  ];
  const sockets = Array.from({ length: 140 }, (_, i) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(garbage[i % garbage.length] ?? '');
    return socket;
  });
  await server.ssh(['list'], { key: admin.path });
  expect((await server.ssh(['whoami'], { key: admin.path })).code).toBe(0);
  for (const socket of sockets) socket.destroy();
  await eventually(
    async () => ((await ask().catch(() => undefined))?.status === 200 ? true : undefined),
    'figures are there',
  );
});

test('the metrics come from a process that does not run as root and is replaced when it dies', async () => {
  const find = async (): Promise<number | undefined> => {
    for (const pid of await readdir('/proc')) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      if (!status.includes(`PPid:\t${server.pid}\n`)) continue;
      if (!(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes('metrics/main.js')) continue;
      // The process starts as root and changes its user after it has loaded its code.
      if (/^Uid:\t0\t/m.test(status)) continue;
      return Number(pid);
    }
    return undefined;
  };
  const first = await eventually(find, 'the process is there');
  if (process.getuid?.() === 0) {
    const status = await readFile(`/proc/${first}/status`, 'utf8');
    for (const field of ['Uid', 'Gid']) expect(status).toContain(`\n${field}:${'\t65534'.repeat(4)}\n`);
    expect(status).toMatch(/\nGroups:\s*\n/);
  }
  process.kill(first, 'SIGKILL');
  await eventually(async () => ((await find()) ?? first) !== first || undefined, 'another process');
  expect((await figures()).get('containarium_incus_up')).toBe(1);
});

test('the metrics are refused on a public address', async () => {
  await expect(startServer({ config: { metrics: { listen: '0.0.0.0:0' } } })).rejects.toThrow(
    /metrics\.listen: must be a loopback address/,
  );
});
