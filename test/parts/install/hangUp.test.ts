/** Changes of the installer whose terminal is lost, with real processes and signals. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/prepare/programs.ts';

const replacement = new URL('../../../src/install/program/replacement.ts', import.meta.url).href;
const closedOutput = new URL('../../../src/commandLine/closedOutput.ts', import.meta.url).href;

/** Replaces a release on a machine whose restart takes until standard input ends. Reports on descriptor 3. */
const code = `
  import { once } from 'node:events';
  import { writeSync } from 'node:fs';
  import { startRelease } from ${JSON.stringify(replacement)};
  import { endWithOutput } from ${JSON.stringify(closedOutput)};
  endWithOutput();
  const done = () => Promise.resolve();
  const machine = {
    place: () => Promise.resolve('new'),
    inUse: () => Promise.resolve('old'),
    wayBack: done,
    setWayBack: done,
    use: done,
    restart: async () => {
      writeSync(3, 'restarting\\n');
      process.stdin.resume();
      await once(process.stdin, 'end');
      for (let i = 0; i < 3; i++) {
        process.stdout.write('still here\\n');
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    requireHealthy: done,
    prune: done,
  };
  const release = { folder: '/nosuch', version: '0.6.0', id: 'f'.repeat(64) };
  await startRelease(release, (line) => void process.stdout.write(line + '\\n'), machine);
  writeSync(3, 'replaced\\n');
`;

describe('a replacement whose terminal is lost', () => {
  it('goes on to its end', async () => {
    const upgrade = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    });
    const report = upgrade.stdio[3];
    let reported = '';
    report?.on('data', (text: Buffer) => (reported += text.toString()));
    await expect.poll(() => reported, { timeout: 20_000 }).toBe('restarting\n');
    upgrade.kill('SIGHUP');
    upgrade.stdout?.destroy();
    upgrade.stdin?.end();
    await once(upgrade, 'close');
    expect(reported).toBe('restarting\nreplaced\n');
  });

  it('runs its programs in a session of their own, which the kernel does not hang up', async () => {
    const sessionOf = async (outlivesTerminal: boolean): Promise<{ own: boolean }> => {
      const { stdout } = await run('cat', ['/proc/self/stat'], { outlivesTerminal });
      const [pid, , , , , session] = stdout.split(' ');
      return { own: pid === session };
    };
    expect(await sessionOf(true)).toEqual({ own: true });
    expect(await sessionOf(false)).toEqual({ own: false });
  });
});
