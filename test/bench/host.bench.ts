/**
 * Measures a real Incus as root, with `npm run bench:host`: the steps of a create, and `list` with many containers.
 * BENCH_CONTAINERS sets their number (default 50), and BENCH_GRAPH a file for a graph of the creates, as SVG.
 *
 * The speed of a machine drifts. So each figure is compared with another from the same run: `list` with Incus's own
 * client and with a list of one container.
 */
import { writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { it } from 'vitest';
import { startJumpHost } from '../host/jumpHost.ts';
import { raiseKernelLimits } from '../../src/prepare/kernelLimits.ts';
import { checkSettings } from '../../src/settings/settings.ts';
import { makeKey } from '../support/keys.ts';
import { temporaryFolder } from '../support/server.ts';
import { bareLaunches } from './create/bareLaunches.ts';
import { graphSvg } from './graph.ts';
import { median } from './shell/figures.ts';

const containers = Number(process.env['BENCH_CONTAINERS'] ?? 50);
const creates = 5;
const graph = process.env['BENCH_GRAPH'];
/** The numbers of containers at which a create is compared with `incus launch`, each as often as this. */
const compared = { at: [5, 10, 20, 50, 100, 150, 200], launches: 3 } as const;

async function timed(work: () => Promise<unknown>, runs = 7): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await work();
    all.push(performance.now() - start);
  }
  return median(all);
}

it('create and list are measured on a real Incus', { timeout: 1_800_000 }, async () => {
  await raiseKernelLimits((line) => console.log(line), checkSettings({}, 'of the bench').sysctl);
  const host = await startJumpHost({ name: 'bench' });
  try {
    const key = (await makeKey(await temporaryFolder(), 'bench')).line;
    const manage = async (words: readonly string[], stdin?: string): Promise<any> => {
      const { stdout, stderr } = await host.server.ssh([...words, '--json'], {
        shared: true,
        ...(stdin === undefined ? {} : { stdin }),
      });
      const document = JSON.parse(stdout);
      if (document.ok !== true) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`);
      return document.result;
    };

    const built = await manage(['image', 'build']);
    console.log(`image build: ${(built.elapsedMs / 1000).toFixed(1)} s\n`);

    const bare = await bareLaunches(host, built.image.fingerprint);
    const launch = async (): Promise<number> => {
      const start = performance.now();
      await bare.launch();
      const total = performance.now() - start;
      await bare.remove();
      return total;
    };
    const recent: number[] = [];
    const points = { create: [] as [number, number][], launch: [] as [number, number][] };
    const steps = new Map<string, number[]>();
    const totals: number[] = [];
    for (let i = 1; i <= containers; i++) {
      const start = performance.now();
      const created = await manage(['create', `bench-${i}`], key);
      const total = performance.now() - start;
      recent.push(total);
      if (i === 1) await launch();
      else if (compared.at.some((at) => at === i)) {
        const theirs: number[] = [];
        for (let time = 0; time < compared.launches; time++) theirs.push(await launch());
        const ours = median(recent.slice(-compared.launches));
        points.create.push([i, ours]);
        points.launch.push([i, median(theirs)]);
        console.log(`${i} containers: create ${ours.toFixed(0)} ms, incus launch ${median(theirs).toFixed(0)} ms`);
      }
      // The first create unpacks the image into the pool.
      if (i === 1) console.log(`first create: ${(total / 1000).toFixed(2)} s (unpacks the image)`);
      else if (i <= creates + 1) {
        totals.push(total);
        for (const { title, elapsedMs } of created.steps) {
          const name = title.replace(/: bench-\d+/, '');
          steps.set(name, [...(steps.get(name) ?? []), elapsedMs]);
        }
      }
      if (i === 1) {
        const list = await timed(() => manage(['list']));
        const incus = await timed(() => execa('incus', ['list', '--format', 'json'], { env: host.incus.env }));
        console.log(
          `list, 1 container: ${list.toFixed(0)} ms over ssh; incus list: ${incus.toFixed(0)} ms; ratio ${(list / incus).toFixed(2)}\n`,
        );
      }
      if (i === creates + 1 || i === containers) {
        console.log(`create, median of ${totals.length}: ${(median(totals) / 1000).toFixed(2)} s over ssh`);
        if (i === creates + 1)
          for (const [title, all] of steps)
            console.log(`  ${title.padEnd(50)} ${median(all).toFixed(0).padStart(5)} ms`);
      }
    }
    const list = await timed(() => manage(['list']));
    const incus = await timed(() => execa('incus', ['list', '--format', 'json'], { env: host.incus.env }));
    console.log(
      `list, ${containers} containers: ${list.toFixed(0)} ms over ssh; incus list: ${incus.toFixed(0)} ms; ratio ${(list / incus).toFixed(2)}`,
    );
    if (graph !== undefined) {
      const series = [
        { name: 'create', points: points.create },
        { name: 'incus launch', points: points.launch },
      ];
      await writeFile(graph, graphSvg({ title: 'A new container', x: 'containers that run', y: 'ms', series }));
    }
  } finally {
    await host.stop();
  }
});
