/** core's end of the process that answers /metrics, with a test program in place of that process. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import { bindPort } from '../../../src/core/processes/listener.ts';
import { MetricsProcess } from '../../../src/metrics/metricsProcess.ts';

/** Starts it with this program. Returns how often the program ended, and how often metrics were collected. */
async function start(program: string): Promise<{ ended: () => number; asked: () => number }> {
  const folder = await mkdtemp(join(tmpdir(), 'containarium-metrics-'));
  const entry = join(folder, 'main.mjs');
  await writeFile(entry, program);
  let ended = 0;
  let asked = 0;
  const log = pino(
    {},
    {
      write: (line: string) => {
        if (line.includes('restarting it')) ended++;
      },
    },
  );
  const metrics = new MetricsProcess({
    entry,
    port: bindPort({ address: '127.0.0.1', port: 0 }),
    text: () => {
      asked++;
      return Promise.resolve('x'.repeat(100_000));
    },
    log,
  });
  onTestFinished(async () => {
    metrics.stop();
    await rm(folder, { recursive: true });
  });
  return { ended: () => ended, asked: () => asked };
}

it('a metrics process that asks and never reads the answers is killed and replaced', async () => {
  const { ended } = await start("const ask = () => process.stdout.write('\\n', () => setTimeout(ask, 1)); ask();");
  await vi.waitUntil(() => ended() > 0, { timeout: 20_000 });
});

it('metrics are collected at most once a second, however often the process asks', async () => {
  const { asked, ended } = await start(
    "process.stdin.resume(); const ask = () => process.stdout.write('\\n', () => setTimeout(ask, 1)); setTimeout(ask, 100); setTimeout(() => process.exit(), 900);",
  );
  await vi.waitUntil(() => ended() > 0, { timeout: 20_000 });
  expect(asked()).toBeGreaterThan(0);
  expect(asked()).toBeLessThan(4);
});

it("the metrics process gets no variable of core's environment", async () => {
  process.env['CONTAINARIUM_TEST_SECRET'] = 'x';
  onTestFinished(() => {
    delete process.env['CONTAINARIUM_TEST_SECRET'];
  });
  // The program ends only if it has none.
  const { ended } = await start(
    'if (process.env.CONTAINARIUM_TEST_SECRET === undefined && process.env.HOME === undefined) process.exit(); setInterval(() => undefined, 1000);',
  );
  await vi.waitUntil(() => ended() > 0, { timeout: 20_000 });
});
