/** Streams of real programs: whole ones, cut ones, and programs that fail, hang or are left. */
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { RealProgramStreams, type StreamCommand } from '../../../src/host/programStreams.ts';
import type { Program } from '../../../src/host/runner.ts';
import { eventually } from '../../support/eventually.ts';

const streams = new RealProgramStreams();
const sh = (script: string, more: Partial<StreamCommand> = {}): StreamCommand => ({
  program: 'sh' as Program,
  args: ['-c', script],
  timeoutMs: 20_000,
  ...more,
});

async function lengthOf(output: Readable): Promise<number> {
  let bytes = 0;
  for await (const chunk of output as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}

/** Returns a source of so many bytes, which fails then if `error` is set. */
function source(bytes: number, error?: Error): Readable {
  return Readable.from(
    (function* () {
      for (let left = bytes; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536));
      if (error !== undefined) throw error;
    })(),
    { objectMode: false },
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the output of a program', () => {
  it('is whole, however large it is, and standard error can be read then', async () => {
    const { output, stderr } = streams.read(sh('head -c 30000000 /dev/zero; echo 3 files >&2'));
    expect(await lengthOf(output)).toBe(30_000_000);
    expect(stderr()).toBe('3 files\n');
  });

  it('ends with an error if the program fails after it has printed', async () => {
    const { output } = streams.read(sh('echo some; echo why >&2; exit 3'));
    await expect(lengthOf(output)).rejects.toMatchObject({ code: 'program-failed', why: 'why' });
  });

  it('ends with an error if the program is killed, although another program has the pipe', async () => {
    const { output } = streams.read(sh('sleep 30 & echo some; kill -9 $$'));
    await expect(lengthOf(output)).rejects.toMatchObject({ code: 'program-failed', why: 'it was killed by SIGKILL' });
  });

  it('ends with an error at the time limit, and when it is cancelled', async () => {
    await expect(lengthOf(streams.read(sh('exec sleep 30', { timeoutMs: 200 })).output)).rejects.toMatchObject({
      code: 'timeout',
    });
    const cancelled = new AbortController();
    const { output } = streams.read(sh('echo some; exec sleep 30', { signal: cancelled.signal }));
    const reading = lengthOf(output);
    cancelled.abort();
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('of a missing program says that it is missing', async () => {
    const { output } = streams.read({ program: 'no-such-program' as Program, args: [], timeoutMs: 1000 });
    await expect(lengthOf(output)).rejects.toMatchObject({ code: 'program-missing' });
  });

  it('that nobody reads to its end does not keep the program running', async () => {
    const { output } = streams.read(sh('echo $$; exec cat /dev/zero'));
    let pid = 0;
    for await (const chunk of output as AsyncIterable<Buffer>) {
      pid = Number.parseInt(chunk.toString(), 10);
      break;
    }
    await eventually(() => Promise.resolve(isRunning(pid) ? undefined : true), 'the program has ended');
  });
});

describe('a program that reads a stream', () => {
  it('gets all of it', async () => {
    await streams.write(sh('test "$(wc -c)" = 30000000'), source(30_000_000));
  });

  it('fails with the failure of the stream, whatever it makes of what it got', async () => {
    const cut = new Error('the store is gone');
    await expect(streams.write(sh('cat > /dev/null'), source(100_000, cut))).rejects.toBe(cut);
    await expect(streams.write(sh('cat > /dev/null; exit 3'), source(100_000, cut))).rejects.toBe(cut);
  });

  it('that ends early fails, with its own reason if it has one', async () => {
    await expect(streams.write(sh('echo full >&2; exit 3'), source(30_000_000))).rejects.toMatchObject({
      code: 'program-failed',
      why: 'full',
    });
    await expect(streams.write(sh('head -c 1000 > /dev/null'), source(30_000_000))).rejects.toMatchObject({
      code: 'program-failed',
      why: 'it did not read its whole input',
    });
  });

  it('is stopped at its time limit, and then the stream is over too', async () => {
    const endless = new PassThrough();
    endless.write('some');
    await expect(streams.write(sh('exec cat', { timeoutMs: 200 }), endless)).rejects.toMatchObject({ code: 'timeout' });
    expect(endless.destroyed).toBe(true);
  });
});
