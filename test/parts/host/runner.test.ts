/** The runner with real programs, which print too much or will not end. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RealProgramStreams } from '../../../src/host/programStreams.ts';
import { isTooMuch, ProgramRunner, type Program } from '../../../src/host/runner.ts';
import { run } from '../../../src/prepare/programs.ts';

const runner = new ProgramRunner();
const sh = (script: string, more: object = {}) =>
  runner.run({ program: 'sh' as Program, args: ['-c', script], timeoutMs: 20_000, ...more });

describe('a program of the host', () => {
  it('gives its output, whole, and its exit code', async () => {
    const { stdout, stderr, exitCode } = await sh('head -c 3000000 /dev/zero | tr "\\\\0" x; echo err >&2');
    expect([stdout.length, stderr, exitCode]).toEqual([3_000_000, 'err\n', 0]);
  });

  it('that prints too much is stopped, and does not stop this process meanwhile', async () => {
    let maxPauseMs = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      maxPauseMs = Math.max(maxPauseMs, performance.now() - last);
      last = performance.now();
    }, 5);
    const error: unknown = await sh('exec cat /dev/zero').catch((thrown: unknown) => thrown);
    clearInterval(timer);
    expect(isTooMuch(error)).toBe(true);
    // execa took seconds to escape 16 MiB for its message; 1 s leaves room for a busy machine.
    expect(maxPauseMs).toBeLessThan(1000);
  });

  it('that ignores signals is killed after its time', async () => {
    await expect(sh('trap "" TERM HUP INT; while :; do sleep 1; done', { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'timeout',
    });
  });

  it('that is missing, or fails, says so', async () => {
    await expect(
      runner.run({ program: 'no-such-program' as Program, args: [], timeoutMs: 1000 }),
    ).rejects.toMatchObject({ code: 'program-missing' });
    await expect(sh('echo why >&2; exit 3')).rejects.toMatchObject({ code: 'program-failed', why: 'why' });
  });
});

describe('a program in the PATH of the caller, as npm leaves one of every folder above the checkout', () => {
  const callers = process.env['PATH'];
  let planted: string;
  beforeEach(async () => {
    planted = await mkdtemp(join(tmpdir(), 'containarium-path-'));
    await writeFile(join(planted, 'getent'), '#!/bin/sh\necho planted\n');
    await chmod(join(planted, 'getent'), 0o755);
    process.env['PATH'] = `${planted}:${callers ?? ''}`;
  });
  afterEach(async () => {
    process.env['PATH'] = callers;
    await rm(planted, { recursive: true });
  });

  const args = ['passwd', '0'];
  const getent = { program: 'getent', args, timeoutMs: 20_000 } as const;
  it.each<[string, () => Promise<string>]>([
    ['the runner', async () => (await new ProgramRunner().run(getent)).stdout],
    ['the streams', () => text(new RealProgramStreams().read(getent).output)],
    ['the preparation of a machine', async () => (await run('getent', args)).stdout],
  ])('is never started by %s', async (_, started) => {
    expect(await started()).toMatch(/^root:/);
  });

  it('is not found by the programs that a program starts', async () => {
    expect((await sh('getent passwd 0; exec env')).stdout).toMatch(/^root:/);
    expect((await sh('exec env')).stdout).toContain(
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n',
    );
  });
});
