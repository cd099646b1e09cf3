/** A server that gets a signal to stop lets a running host program end first. */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { repository } from '../../support/server.ts';

const module = (path: string): string => JSON.stringify(pathToFileURL(join(repository, 'src', path)).href);

describe('a signal to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s, even if sent twice, lets a running program and this process end by themselves',
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
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output === 'ready\n') child.kill(signal);
        if (output === `ready\n${signal}\n`) child.kill(signal);
      });
      expect(await once(child, 'close')).toEqual([0, null]);
      expect(output).toBe(`ready\n${signal}\n0\n`);
    },
  );
});
