import { Readable } from 'node:stream';
import { describe, expect, it, test } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import type { StreamCommand } from '../../../../src/host/programStreams.ts';
import type { Output } from '../../../../src/host/runner.ts';
import { parseEntry, SshdLog, type SshdLogStart } from '../../../../src/host/sshd/log.ts';

/** An entry as systemd 252 prints it. */
const fields = {
  _MACHINE_ID: '3d1219c7c4c5404aaa1f6d2a48adfda4',
  __CURSOR: 's=5730ec67a94d4866ab1c5a35f6ace47d;i=202;b=2bdf20c30bef453d81b08b91665e2a68;m=308c2980;t=1;x=c6',
  __REALTIME_TIMESTAMP: '1796026100757565',
  _PID: '71507',
  _UID: '0',
  _COMM: 'sshd',
  SYSLOG_IDENTIFIER: 'sshd',
  MESSAGE: 'Server listening on 0.0.0.0 port 22.',
};
const line = (change: Readonly<Record<string, unknown>> = {}): string => JSON.stringify({ ...fields, ...change });

const never = new AbortController().signal;
const noRunner = { run: () => Promise.reject(new Error('not used')) };

/** Returns a log of which journalctl prints these chunks, and the commands that were run. */
function logOf(chunks: readonly (string | Buffer)[], failure?: Failure): { log: SshdLog; commands: StreamCommand[] } {
  const commands: StreamCommand[] = [];
  const printed = async function* (): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk));
    if (failure !== undefined) throw failure;
  };
  const streams = {
    read: (command: StreamCommand) => {
      commands.push(command);
      return { output: Readable.from(printed(), { objectMode: false }), stderr: () => '' };
    },
  };
  return { log: new SshdLog(noRunner, streams), commands };
}

const followed = async (log: SshdLog, start: SshdLogStart = { cursor: 'c' }): Promise<string[]> =>
  (await Array.fromAsync(log.follow(start, never))).map(({ message }) => message);

describe('an entry', () => {
  it('has its place in the journal, its time in milliseconds, the process and the message', () => {
    expect(parseEntry(line())).toEqual({
      cursor: fields.__CURSOR,
      atMs: 1796026100757,
      pid: 71507,
      message: fields.MESSAGE,
    });
  });

  it('of a process that has ended already has no program, and counts', () => {
    expect(parseEntry(line({ _COMM: undefined }))).toMatchObject({ pid: 71507 });
  });

  test.each([
    ['another user, who calls the program sshd', { _UID: '1001' }],
    ['nobody, as the journal does not know who sent it', { _UID: undefined }],
    ['another program of root', { _COMM: 'logger' }],
    ['sshd, with bytes that are no text', { MESSAGE: [255, 254] }],
    ['sshd, with a message that is too long', { MESSAGE: 'x'.repeat(5000) }],
    ['sshd, without a place', { __CURSOR: '' }],
    ['sshd, with a time that is no number', { __REALTIME_TIMESTAMP: '1e9' }],
  ])('of %s does not count', (_whose, change) => {
    expect(parseEntry(line(change))).toBeUndefined();
  });

  test.each(['', 'x', '[]', 'null', '{}'])('is not read from %j', (text) => {
    expect(parseEntry(text)).toBeUndefined();
  });
});

describe('the log', () => {
  it('is followed behind the last entry, or since a time, for entries of root only', async () => {
    const { log, commands } = logOf([]);
    await followed(log, { cursor: 's=1;i=2' });
    await followed(log, { since: new Date('2026-11-23T00:00:00.900Z') });
    const options = ['--quiet', '--follow', '--no-tail', '--output=json'];
    const matches = ['_UID=0', 'SYSLOG_IDENTIFIER=sshd', 'SYSLOG_IDENTIFIER=sshd-session'];
    expect(commands.map(({ args }) => args)).toEqual([
      [...options, '--after-cursor=s=1;i=2', ...matches],
      [...options, '--since=@1795392000', ...matches],
    ]);
  });

  it('is cut into lines wherever the pieces end, in the middle of a character too', async () => {
    const bytes = Buffer.from([line({ MESSAGE: 'Größe' }), line({ MESSAGE: 'two' }), ''].join('\n'));
    const { log } = logOf([...bytes].map((byte) => Buffer.from([byte])));
    expect(await followed(log)).toEqual(['Größe', 'two']);
  });

  it('goes on behind a line that is too long', async () => {
    const long = 'x'.repeat(40_000);
    const { log } = logOf([long, `${long}\n`, `${line({ MESSAGE: 'short' })}\n`]);
    expect(await followed(log)).toEqual(['short']);
  });

  it('ends without a failure when the time of one journalctl is over', async () => {
    const { log } = logOf([`${line()}\n`], new Failure('timeout', { what: 'journalctl', why: 'time is over' }));
    expect(await followed(log)).toEqual([fields.MESSAGE]);
  });

  it('rejects with the failure of journalctl', async () => {
    const { log } = logOf([], new Failure('program-failed', { what: 'journalctl', why: 'no such cursor' }));
    await expect(followed(log)).rejects.toMatchObject({ code: 'program-failed' });
  });
});

describe('a host', () => {
  const keeps = (answer: () => Promise<Output>): Promise<boolean> =>
    new SshdLog({ run: answer }, logOf([]) as never).isKept(never);
  const printed = (stdout: string) => (): Promise<Output> => Promise.resolve({ stdout, stderr: '', exitCode: 0 });

  it('keeps a journal if there is an entry in it', async () => {
    expect(await keeps(printed(`${line()}\n`))).toBe(true);
  });

  it('keeps none without an entry, and without journalctl', async () => {
    expect(await keeps(printed(''))).toBe(false);
    expect(
      await keeps(() => Promise.reject(new Failure('program-missing', { what: 'journalctl', why: 'not installed' }))),
    ).toBe(false);
  });

  it('is not taken for one without a journal if the query fails', async () => {
    const failed = new Failure('timeout', { what: 'journalctl', why: 'no answer' });
    await expect(keeps(() => Promise.reject(failed))).rejects.toBe(failed);
  });
});
