/** The lock of the installer, with the real flock(1). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { onlyInstaller } from '../../../src/install/step/onlyInstaller.ts';
import { failureOf } from '../../unit/simulated/support.ts';

describe('two installers', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-lock-'));
    file = join(folder, 'lock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('do not work at the same time', async () => {
    const refused = await onlyInstaller(() => failureOf(onlyInstaller(() => expect.fail('it works'), file)), file);
    expect(refused).toMatchObject({ code: 'busy', why: 'another one runs on this machine' });
  });

  it('work one after the other, also after one that failed', async () => {
    await expect(onlyInstaller(() => Promise.reject(new Error('half done')), file)).rejects.toThrow('half done');
    expect(await onlyInstaller(() => Promise.resolve('done'), file)).toBe('done');
  });

  it('need not wait for one that was killed', async () => {
    const code = `import { onlyInstaller } from ${JSON.stringify(new URL('../../../src/install/step/onlyInstaller.ts', import.meta.url).href)};
      await onlyInstaller(() => new Promise(() => { console.log('held'); setInterval(() => {}, 1000); }), ${JSON.stringify(file)});`;
    const other = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(other.stdout, 'data');
    expect(await failureOf(onlyInstaller(() => expect.fail('it works'), file))).toMatchObject({ code: 'busy' });
    other.kill('SIGKILL');
    await once(other, 'exit');
    await expect.poll(() => onlyInstaller(() => Promise.resolve('done'), file).catch(() => 'busy')).toBe('done');
  });

  it('say why the lock cannot be taken', async () => {
    const failure = await failureOf(onlyInstaller(() => expect.fail('it works'), join(folder, 'no', 'lock')));
    expect(failure).toMatchObject({
      code: 'program-failed',
      why: expect.stringContaining('No such file or directory'),
    });
  });
});
