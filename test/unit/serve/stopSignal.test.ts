/** A server that is told to stop ends what it is at, also while a host program runs for it. */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { repository } from '../../support/server.ts';

const module = (path: string): string => JSON.stringify(pathToFileURL(join(repository, 'src', path)).href);

describe('a signal to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s, also twice, leaves a program that runs, and this process, to their end',
    async (signal) => {
      const script = `
      import { ProgramRunner } from ${module('host/runner.ts')};
      import { stopSignal } from ${module('serve/stopSignal.ts')};
      const stopped = stopSignal();
      const program = new ProgramRunner().run({ program: 'sleep', args: ['1'], timeoutMs: 20_000 });
      setTimeout(() => console.log('ready'), 100);
      console.log(await stopped);
      console.log((await program).exitCode);
    `;
      const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said === 'ready\n') child.kill(signal);
        if (said === `ready\n${signal}\n`) child.kill(signal);
      });
      expect(await once(child, 'close')).toEqual([0, null]);
      expect(said).toBe(`ready\n${signal}\n0\n`);
    },
  );
});
