/**
 * Plans on a real Incus: what `--plan` prints is what the call runs. A folder that comes first for the server has a
 * script for each host program, which writes its arguments down and passes them on to the real one.
 */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/domain/results/plan.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { firstFolder, withPrograms } from '../support/programs.ts';
import { temporaryFolder } from '../support/server.ts';
import { commandsOfPlan, timeless } from '../support/world/plans.ts';
import * as clients from './clients.ts';
import { skipReason, startJumpHost, type JumpHost } from './jumpHost.ts';

const programs = ['incus', 'useradd', 'userdel', 'groupadd', 'pkill'];

const user = 'cxt-plan';
const container = `${user}-container`;

describe.skipIf(skipReason !== undefined)('plans on a real Incus', () => {
  let host: JumpHost;
  let folder: string;
  let log: string;
  let first: TestKey;
  let second: TestKey;

  beforeAll(async () => {
    folder = join(await temporaryFolder(), 'bin');
    log = join(folder, 'log');
    await mkdir(folder);
    await writeFile(log, '');
    const script = `#!/bin/sh\nme=\${0##*/}\nPATH=\${PATH#${firstFolder}:}\nexport PATH\nprintf '%s\\n' "$me $*" >>'${log}'\nexec "$me" "$@"\n`;
    for (const program of programs) {
      await writeFile(join(folder, program), script);
      await chmod(join(folder, program), 0o755);
    }
    [first, second] = await Promise.all([makeKey(folder, 'first'), makeKey(folder, 'second')]);
    host = await startJumpHost({
      name: 'plan',
      packages: ['procps'],
      within: withPrograms(folder),
    });
  });
  afterAll(async () => {
    await host.stop();
    expect(await host.incus.remains()).toEqual([]);
  });

  /** Returns the commands so far that may have changed something. */
  const changes = async (): Promise<string[]> =>
    (await readFile(log, 'utf8'))
      .split('\n')
      .filter((line) => line !== '' && !/^incus (query \/|file pull|exec \S+ .* -- systemctl is-)/.test(line));

  /** Returns what the Incus of the test has, without what changes by itself. */
  const instances = async (): Promise<unknown> =>
    (JSON.parse(await host.incus.incus(['query', '/1.0/instances?recursion=1'])) as { last_used_at: string }[]).map(
      ({ last_used_at: _, ...instance }) => instance,
    );

  // The fingerprint of an image is not known before it is built; it is the same in every other case.
  const comparable = (lines: readonly string[]): string[] =>
    lines
      .filter((line) => !line.startsWith('jump-keys '))
      .map((line) => timeless(line).replace(/\b[0-9a-f]{64}\b/, 'IMAGE'));

  interface Case {
    readonly says: string;
    readonly words: () => readonly string[];
    readonly stdin?: () => string;
    /** Changes the host before. */
    readonly before?: () => Promise<unknown>;
  }

  const calls: readonly Case[] = [
    {
      says: 'create, with the image that is built for it',
      words: () => ['create', user, '--label', 'team=blue'],
      stdin: () => first.line,
    },
    { says: 'resize', words: () => ['resize', user, '--memory', '640MiB', '--disk-quota', '4GiB'] },
    { says: 'snapshot create', words: () => ['snapshot', 'create', user, 'kept'] },
    { says: 'key add', words: () => ['key', 'add', user], stdin: () => second.line },
    { says: 'snapshot restore', words: () => ['snapshot', 'restore', user, 'kept', '--yes'] },
    { says: 'stop', words: () => ['stop', user] },
    { says: 'start', words: () => ['start', user] },
    { says: 'key remove', words: () => ['key', 'remove', user, second.fingerprint] },
    {
      says: 'reconcile of a container without its account',
      words: () => ['reconcile', '--apply'],
      before: () => execa('userdel', [user]),
    },
    { says: 'delete', words: () => ['delete', user, '--yes'] },
  ];

  it.each(calls.slice(0, -1))('the plan of $says changes nothing, and has the commands of the call', compared);

  it('the lines of a plan can be pasted, and so can what undoes them', async () => {
    const { stdout } = await clients.manage(host, ['stop', user, '--plan']);
    const lines = stdout.split('\n').filter((line) => line.startsWith('   '));
    const paste = async (text: readonly string[]): Promise<string> => {
      await execa('sh', ['-e'], {
        input: text.filter((line) => !line.includes('pkill')).join('\n'),
        env: host.incus.env,
      });
      return host.incus.incus(['list', container, '--columns', 's', '--format', 'csv']);
    };
    expect(await paste(lines)).toBe('STOPPED\n');
    const undo = lines.flatMap((line) => /^ +# undo: (incus .*)/.exec(line)?.[1] ?? []);
    expect(await paste(undo)).toBe('RUNNING\n');
  });

  it.each(calls.slice(-1))('the plan of $says changes nothing, and has the commands of the call', compared);

  async function compared({ words: wordsOf, stdin: stdinOf, before: prepare }: Case): Promise<void> {
    await prepare?.();
    const [words, stdin] = [wordsOf(), stdinOf?.() ?? ''];
    const [before, state] = [await changes(), await instances()];
    const plan = (await clients.result(host, [...words, '--plan'], stdin)) as Plan;
    expect(await changes()).toEqual(before);
    expect(await instances()).toEqual(state);
    const called = await clients.manage(host, words, stdin);
    expect(called.code, called.stderr).toBe(0);
    expect(plan.steps).not.toEqual([]);
    expect(comparable(commandsOfPlan(plan))).toEqual(comparable((await changes()).slice(before.length)));
  }
});
