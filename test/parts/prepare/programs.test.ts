import { describe, expect, it } from 'vitest';
import { run, succeeds } from '../../../src/prepare/programs.ts';

describe('a preparation program', () => {
  it('gets its arguments unchanged, and its input', async () => {
    expect((await run('printf', ['%s|', '$HOME', 'a b', '; true'])).stdout).toBe('$HOME|a b|; true|');
    expect((await run('cat', [], { input: 'secret\n' })).stdout).toBe('secret\n');
  });

  it('fails with its exit code and its last line of output', async () => {
    await expect(run('sh', ['-c', 'echo first; echo why >&2; exit 3'])).rejects.toMatchObject({
      code: 'program-failed',
      why: 'why',
      details: { exitCode: 3, output: 'first\nwhy' },
    });
    expect(await run('false', [], { allowExit: [0, 1] })).toMatchObject({ exitCode: 1 });
  });

  it('is killed when its time is up', async () => {
    await expect(run('sleep', ['60'], { timeoutMs: 50 })).rejects.toMatchObject({ code: 'timeout' });
  });

  it('fails with program-missing if it is not installed', async () => {
    await expect(run('no-such-program-here', [])).rejects.toMatchObject({ code: 'program-missing' });
    expect(await succeeds('no-such-program-here', [])).toBe(false);
    expect(await succeeds('true', [])).toBe(true);
    expect(await succeeds('false', [])).toBe(false);
  });
});
