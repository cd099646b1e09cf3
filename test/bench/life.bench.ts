/**
 * The server over a long time on real containers, as root: `npm run bench:life`. SOAK_MINUTES (default 60) and
 * SOAK_CONTAINERS (default 100) set how long, and how many containers there are all the time.
 *
 * Meanwhile one admin creates a container and deletes it, again and again; others list, log in, and type in shells that
 * are opened anew each minute. Once a minute it prints the live memory and the descriptors of front and core, and the
 * median times of that minute; at the end the slope of each over an hour, by linear regression without the first tenth,
 * in which code is compiled and caches fill. Live memory is measured after a full garbage collection.
 *
 * Fails if more than 1 % of what the admins do fails, or the front was restarted. The slopes are for people to judge.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { linearRegression } from 'simple-statistics';
import { expect, it } from 'vitest';
import { raiseKernelLimits } from '../../src/prepare/kernelLimits.ts';
import { checkSettings } from '../../src/settings/settings.ts';
import { startJumpHost } from '../host/jumpHost.ts';
import { Inspector } from '../soak/inspector.ts';
import { makeKey } from '../support/keys.ts';
import { temporaryFolder } from '../support/server.ts';
import { Admins } from './life/admins.ts';
import { childrenOf, openDescriptors } from './shell/processes.ts';
import { median } from './shell/figures.ts';

const minutes = Number(process.env['SOAK_MINUTES'] ?? 60);
const containers = Number(process.env['SOAK_CONTAINERS'] ?? 100);
/** How many containers are created at the same time before the beginning. */
const atOnce = 4;
const sampleMs = 60_000;

/** What is measured once a minute; the times are medians of that minute, in milliseconds. */
interface Sample {
  readonly minute: number;
  readonly figures: Readonly<Record<string, number>>;
}

it('the server lives long on real containers', { timeout: (minutes + 60) * 60_000 }, async () => {
  await raiseKernelLimits((line) => console.log(line), checkSettings({}, 'of the bench').sysctl);
  const host = await startJumpHost({
    name: 'life',
    packages: [],
    env: { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' },
  });
  try {
    const key = await makeKey(await temporaryFolder(), 'life');
    const admins = new Admins(host.server.port, host.server.adminKey, key.line);
    await admins.run('image build');
    const users = Array.from({ length: containers }, (_, i) => `life-${i + 1}`);
    for (let i = 0; i < containers; i += atOnce)
      await Promise.all(users.slice(i, i + atOnce).map((user) => admins.create(user)));
    console.log(`${containers} containers run; load ${readFileSync('/proc/loadavg', 'utf8').trim()}`);

    const core = host.server.pid;
    const [front = -1] = childrenOf(core);
    // One after the other, so that the new port of each process can be told apart.
    const inspectors = { core: await Inspector.of(core), front: await Inspector.of(front) };
    const over = new AbortController();
    const working = admins.work(over.signal);
    const samples: Sample[] = [];
    const beganMs = performance.now();
    while (samples.length < minutes) {
      await pause(beganMs + (samples.length + 1) * sampleMs - performance.now());
      const figures: Record<string, number> = {};
      for (const [name, pid] of Object.entries({ front, core })) {
        figures[`${name} live MiB`] = (await inspectors[name as 'front' | 'core'].liveBytes()) / 2 ** 20;
        figures[`${name} descriptors`] = openDescriptors(pid);
      }
      for (const [name, times] of admins.takeTimes()) figures[`${name} ms`] = median(times);
      samples.push({ minute: samples.length + 1, figures });
      const shown = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(1)}`);
      console.log(`${String(samples.length).padStart(4)}: ${shown.join(', ')}`);
    }
    over.abort();
    await working;
    for (const inspector of Object.values(inspectors)) inspector.close();

    const counted = samples.slice(Math.floor(samples.length / 10));
    for (const name of Object.keys(samples.at(-1)?.figures ?? {})) {
      const points = counted.map(({ minute, figures }) => [minute / 60, figures[name] ?? Number.NaN]);
      const { m: perHour, b: start } = linearRegression(points.filter(([, value]) => !Number.isNaN(value)));
      console.log(`${name.padEnd(24)} ${start.toFixed(2).padStart(10)} ${perHour.toFixed(2).padStart(10)} an hour`);
    }
    console.log(`${admins.done} commands, logins, keys and shells, ${admins.failures.length} failures`);
    for (const failure of new Set(admins.failures)) console.log(`  ${failure}`);
    expect(samples.length).toBe(minutes);
    expect(admins.failures.length / admins.done).toBeLessThan(0.01);
    expect(childrenOf(core)).toContain(front);
  } finally {
    await host.stop();
  }
});
