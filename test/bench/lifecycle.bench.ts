/**
 * Measures snapshots and backups on a real Incus as root, with `npm run bench:lifecycle`, each beside the bare commands
 * of Incus that do the same. BENCH_RUNS sets the number of runs of each (default 5).
 *
 * Both take turns in one run, because the speed of a machine drifts: the ratio of their medians is the figure.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { it } from 'vitest';
import { startJumpHost } from '../host/jumpHost.ts';
import { makeKey } from '../support/keys.ts';
import { temporaryFolder } from '../support/server.ts';

const runs = Number(process.env['BENCH_RUNS'] ?? 5);
/** What the ratio should stay below. */
const target = 1.15;

/** How long after a push of a file the file server of a stopped instance may still run (seen with incus 6.0.4). */
const fileServerMs = 3000;

interface Pair {
  readonly what: string;
  readonly ours: () => Promise<unknown>;
  readonly bare: () => Promise<unknown>;
  /** Called after each of both, not measured. */
  readonly after?: () => Promise<unknown>;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

async function measure({ what, ours, bare, after }: Pair): Promise<void> {
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    mine.push(await timed(ours));
    await after?.();
    theirs.push(await timed(bare));
    await after?.();
  }
  const ratio = median(mine) / median(theirs);
  console.log(
    `${what.padEnd(18)} ${median(mine).toFixed(0).padStart(7)} ms over ssh  ${median(theirs).toFixed(0).padStart(7)} ms with incus  ratio ${ratio.toFixed(2)} (target ${target})`,
  );
}

it('snapshots and backups are measured beside the commands of Incus', { timeout: 1_800_000 }, async () => {
  const folder = await temporaryFolder();
  const backups = join(folder, 'backups');
  await mkdir(backups, { mode: 0o700 });
  const host = await startJumpHost({ name: 'lifecycle', config: { backups: { directory: backups } }, packages: [] });
  try {
    const key = (await makeKey(folder, 'bench')).line;
    const incus = (...args: string[]): Promise<string> => host.incus.incus(args);
    const manage = async (words: readonly string[], stdin?: string): Promise<any> => {
      const { stdout, stderr } = await host.server.ssh([...words, '--json'], {
        shared: true,
        ...(stdin === undefined ? {} : { stdin }),
      });
      const document = JSON.parse(stdout) as { ok: boolean; result: unknown };
      if (!document.ok) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`);
      return document.result;
    };
    await manage(['create', 'bench'], key);
    const name = 'bench-container';
    const keysFile = join(folder, 'keys');
    await writeFile(keysFile, key);
    let count = 0;
    await measure({
      what: 'snapshot create',
      ours: () => manage(['snapshot', 'create', 'bench', `ours-${++count}`]),
      bare: () => incus('snapshot', 'create', name, `bare-${++count}`),
    });
    await manage(['snapshot', 'create', 'bench', 'kept']);
    await manage(['stop', 'bench', '--force']);
    await measure({
      what: 'snapshot restore',
      ours: () => manage(['snapshot', 'restore', 'bench', 'kept', '--yes']),
      bare: async () => {
        // Ours keeps what it replaces, and no key comes back that was removed since.
        await incus('snapshot', 'create', name, `before-${++count}`);
        await incus('snapshot', 'restore', name, 'kept');
        await incus('file', 'push', keysFile, `${name}/etc/ssh/authorized_keys.d/bench`, '--mode', '0644', '--quiet');
      },
      // A snapshot soon after a file was pushed waits for the file server of Incus, for about a second.
      after: () => setTimeout(fileServerMs),
    });
    await manage(['start', 'bench']);
    const archive = join(folder, 'bare.tar');
    await measure({
      what: 'backup create',
      ours: () => manage(['backup', 'create', 'bench']),
      bare: () => incus('export', name, archive, '--instance-only', '--compression', 'zstd', '--quiet'),
      after: () => rm(archive, { force: true }),
    });
    await incus('export', name, archive, '--instance-only', '--compression', 'zstd', '--quiet');
    await measure({
      what: 'backup verify',
      ours: () => manage(['backup', 'verify', 'bench', 'latest']),
      bare: async () => {
        await incus('import', archive, 'bench-verify', '--quiet');
        await incus('config', 'device', 'remove', 'bench-verify', 'eth0');
        await incus('start', 'bench-verify', '--quiet');
        const script =
          'until systemctl is-system-running --wait >/dev/null 2>&1 || [ $? = 1 ]; do sleep 0.1; done; find /etc /usr /home /root /opt /srv -xdev -type f -exec sha256sum {} + | wc -l';
        await incus('exec', 'bench-verify', '--', 'sh', '-c', script);
        await incus('delete', 'bench-verify', '--force', '--quiet');
      },
    });
  } finally {
    await host.stop();
  }
});
