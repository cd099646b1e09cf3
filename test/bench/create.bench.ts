/**
 * Measures `create` on a real Incus as root, with `npm run bench:create`, each beside a bare `incus launch` of the same
 * image, which gets its address by DHCP, until the first banner of its sshd. The two take turns in one run, because the
 * speed of a machine drifts: the ratios are the figures.
 *
 * BENCH_RUNS sets the number of runs of each (default 20). Then BENCH_AT_ONCE containers (default 20) are created in a
 * row, and as many at the same time, while another admin runs `whoami` again and again. What the processors do for
 * those in a row is the least that they have to do for those at the same time.
 */
import { availableParallelism, cpus } from 'node:os';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { raiseKernelLimits } from '../../src/prepare/kernelLimits.ts';
import { checkSettings } from '../../src/settings/settings.ts';
import { result } from '../host/clients.ts';
import { startJumpHost, type JumpHost } from '../host/jumpHost.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { temporaryFolder } from '../support/server.ts';
import { bareLaunches } from './create/bareLaunches.ts';
import { median, percentile } from './shell/figures.ts';

const runs = Number(process.env['BENCH_RUNS'] ?? 20);
const atOnce = Number(process.env['BENCH_AT_ONCE'] ?? 20);

/** What the ratios should stay below. */
const targets = { median: 0.8, p95: 1.2, atOnce: 0.5, whoami: 3 } as const;

/** Number of quiet `whoami` calls, with which those beside the creates are compared. */
const quietCalls = 60;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Returns how long all processors of the machine have worked, together, in milliseconds. */
function busyMs(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
}

/** Logs in to a container through the jump account, and returns the name that it has for itself. */
async function nameInside(host: JumpHost, key: TestKey, container: { user: string; address: string }): Promise<string> {
  const common = [
    '-F',
    'none',
    '-i',
    key.path,
    '-o',
    'IdentitiesOnly=yes',
    '-o',
    'BatchMode=yes',
    '-o',
    'LogLevel=ERROR',
  ];
  // `create` has checked the host key.
  const options = [...common, '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
  const jump = ['ssh', ...options, '-p', String(host.sshd.port), '-W', '%h:%p', `${container.user}@127.0.0.1`].join(
    ' ',
  );
  const target = `${container.user}@${container.address}`;
  return (await execa('ssh', [...options, '-o', `ProxyCommand=${jump}`, target, 'hostname'], { stdin: 'ignore' }))
    .stdout;
}

function compare(what: string, mine: number, theirs: number, target: number, theirName: string): void {
  const ratio = mine / theirs;
  console.log(
    `${what.padEnd(34)} ${mine.toFixed(0).padStart(6)} ms, ${theirName} ${theirs.toFixed(0).padStart(6)} ms, ` +
      `ratio ${ratio.toFixed(2)} (target ${target}): ${ratio <= target ? 'met' : 'missed'}`,
  );
}

it(
  'create is measured beside incus launch, and many at once beside many in a row',
  { timeout: 3_600_000 },
  async () => {
    await raiseKernelLimits((line) => console.log(line), checkSettings({}, 'of the bench').sysctl);
    const host = await startJumpHost({ name: 'create' });
    try {
      const folder = await temporaryFolder();
      const key = await makeKey(folder, 'bench');
      const other = await makeKey(folder, 'other');
      const manage = (words: readonly string[], stdin?: string): Promise<any> => result(host, words, stdin);
      const remove = (user: string): Promise<unknown> => manage(['delete', user, '--purge', '--yes']);

      await host.server.local(['admin', 'add', 'other', '--role', 'viewer', '--ssh-key', '-'], { stdin: other.line });
      const { image } = await manage(['image', 'build']);

      const bare = await bareLaunches(host, image.fingerprint);
      const steps = new Map<string, number[]>();
      const create = async (user: string): Promise<any> => {
        const created = await manage(['create', user], key.line);
        for (const { title, elapsedMs } of created.steps) {
          const name = title.replace(/: bench.*/, '');
          steps.set(name, [...(steps.get(name) ?? []), elapsedMs]);
        }
        return created;
      };
      const [mine, theirs]: [number[], number[]] = [[], []];
      // The first of each unpacks the image into the pool, and is left out.
      for (let run = 0; run <= runs; run++) {
        theirs.push(await timed(bare.launch));
        await bare.remove();
        mine.push(await timed(() => create('bench')));
        await remove('bench');
        if (run > 0) continue;
        theirs.length = 0;
        mine.length = 0;
        steps.clear();
      }
      compare(`create, median of ${runs}`, median(mine), median(theirs), targets.median, 'incus launch');
      compare('create, p95', percentile(mine, 95), percentile(theirs, 95), targets.p95, 'incus launch');
      let counted = 0;
      for (const [title, all] of steps) {
        counted += median(all);
        console.log(`  ${title.padEnd(48)} ${median(all).toFixed(0).padStart(6)} ms`);
      }
      console.log(`  ${'checks, records, and ssh'.padEnd(48)} ${(median(mine) - counted).toFixed(0).padStart(6)} ms\n`);

      const whoami = (): Promise<number> => timed(() => host.server.ssh(['whoami'], { shared: true, key: other.path }));
      await whoami();
      const quiet: number[] = [];
      for (let call = 0; call < quietCalls; call++) quiet.push(await whoami());
      const users = Array.from({ length: atOnce }, (_, index) => `bench-${index + 1}`);
      const busyBefore = busyMs();
      const inRow = await timed(async () => {
        for (const user of users) await manage(['create', user], key.line);
      });
      const busy = busyMs() - busyBefore;
      for (const user of users) await remove(user);
      const beside: number[] = [];
      let made: { container: { user: string; name: string; address: string } }[] = [];
      let isOver = false;
      const together = timed(async () => {
        made = await Promise.all(users.map((user) => manage(['create', user], key.line)));
      }).finally(() => (isOver = true));
      const calls = (async () => {
        while (!isOver) beside.push(await whoami());
      })();
      const total = await together;
      await calls;
      // All are there, each with an address of its own, and the key works.
      expect(new Set(made.map(({ container }) => container.address)).size).toBe(atOnce);
      for (const { container } of made) expect(await nameInside(host, key, container)).toBe(container.name);
      compare(`${atOnce} creates at once`, total, inRow, targets.atOnce, 'in a row');
      console.log(
        `  all processors were busy for ${busy.toFixed(0)} ms with those in a row: at once they take at least ` +
          `${(busy / availableParallelism()).toFixed(0)} ms, ratio ${(busy / availableParallelism() / inRow).toFixed(2)}`,
      );
      compare(
        `whoami beside, p95 of ${beside.length}`,
        percentile(beside, 95),
        percentile(quiet, 95),
        targets.whoami,
        'quiet',
      );
    } finally {
      await host.stop();
    }
  },
);
