import { create } from '@bufbuild/protobuf';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { answer } from '../../../src/client/questions.ts';
import { terminalIo } from '../../../src/commandLine/terminalIo.ts';
import { QuestionSchema, type Question } from '../../../src/grpc/generated/containarium/v1/verbs_pb.ts';

const never = new Promise<never>(() => undefined);

/** A caller with every file, who says what is done with them. */
function caller(words: readonly string[]) {
  const done: string[] = [];
  const io = {
    readStdin: (maxBytes: number) => Promise.resolve(`stdin up to ${maxBytes}`),
    ask: (question: string) => Promise.resolve(`answer to ${question}`),
    files: {
      read: (path: string) => Promise.resolve(path.startsWith('long') ? 'x'.repeat(300 * 1024) : `text of ${path}`),
      makeFolder: (path: string) => Promise.resolve(void done.push(`made ${path}`)),
      write: (path: string, text: string) => Promise.resolve(void done.push(`wrote ${path}: ${text}`)),
    },
  };
  return {
    done,
    ask: (question: Question['question'], interrupted = never) =>
      answer(create(QuestionSchema, { question }), { io, words, interrupted }),
  };
}

describe('a server that asks the caller', () => {
  it('gets standard input, a line, and a file that the command line names', async () => {
    const { ask } = caller(['create', 'alice', '--ssh-key', 'alice.pub', '--other=b.pub']);
    expect(await ask({ case: 'readStdin', value: 65_536 })).toEqual({ case: 'text', value: 'stdin up to 65536' });
    expect(await ask({ case: 'ask', value: 'Name?' })).toEqual({ case: 'text', value: 'answer to Name?' });
    expect(await ask({ case: 'readFile', value: 'alice.pub' })).toMatchObject({ value: 'text of alice.pub' });
    expect(await ask({ case: 'readFile', value: 'b.pub' })).toMatchObject({ value: 'text of b.pub' });
  });

  test.each(['/root/.ssh/id_ed25519', '../alice.pub', '~/.ssh/config', ''])(
    'does not get the file %j',
    async (path) => {
      const { ask } = caller(['create', 'alice', '--ssh-key', 'alice.pub', '']);
      expect(await ask({ case: 'readFile', value: path })).toMatchObject({
        case: 'refusal',
        value: { code: 'denied', why: expect.stringContaining('does not name it') },
      });
    },
  );

  test.each([
    ['.', './id_rsa'],
    ['/home/me', '/home/me/.netrc'],
    ['--all=keys', 'keys/alice.pub'],
  ])('does not get a file in the folder that the word %j names', async (word, path) => {
    const { ask } = caller(['delete', word]);
    expect(await ask({ case: 'readFile', value: path })).toMatchObject({ value: { code: 'denied' } });
  });

  test.each([
    ['export', '--output', 'jump.conf'],
    ['export', '--output=jump.conf'],
    ['export', '-o', 'jump.conf'],
    ['export', '-ojump.conf'],
    ['cert', 'issue', 'carol', '--output-dir', 'jump.conf'],
  ])('does not get the file that is to be written: %s %s', async (...words) => {
    const { ask } = caller(words);
    expect(await ask({ case: 'readFile', value: 'jump.conf' })).toMatchObject({ value: { code: 'denied' } });
  });

  it('gets no file that is too long for a message', async () => {
    const { ask } = caller(['ca', 'add', 'long.pem']);
    expect(await ask({ case: 'readFile', value: 'long.pem' })).toMatchObject({ value: { code: 'input-too-large' } });
  });

  it('writes to the folder of --output-dir and the file of --output', async () => {
    const inFolder = caller(['cert', 'issue', 'carol', '--output-dir', './certs/']);
    expect(await inFolder.ask({ case: 'makeFolder', value: './certs/' })).toMatchObject({ case: 'text' });
    const ca = { path: 'certs/ca.crt', text: 'x' } as never;
    expect(await inFolder.ask({ case: 'writeFile', value: ca })).toMatchObject({ case: 'text' });
    expect(inFolder.done).toEqual(['made ./certs/', 'wrote certs/ca.crt: x']);
    const file = caller(['export', '--output=~/jump.conf']);
    await file.ask({ case: 'writeFile', value: { path: '~/jump.conf', text: 'y' } as never });
    expect(file.done).toEqual(['wrote ~/jump.conf: y']);
    for (const words of [
      ['export', '-o', 'short.conf'],
      ['export', '-oshort.conf'],
    ]) {
      const short = caller(words);
      await short.ask({ case: 'writeFile', value: { path: 'short.conf', text: 'z' } as never });
      expect(short.done).toEqual(['wrote short.conf: z']);
    }
  });

  test.each([
    ['/etc/cron.d/x', ['cert', 'issue', 'carol', '--output-dir', 'certs']],
    ['certs/../../x', ['cert', 'issue', 'carol', '--output-dir', 'certs']],
    ['certs/deep/x', ['cert', 'issue', 'carol', '--output-dir', 'certs']],
    ['certs/.bashrc', ['cert', 'issue', 'carol', '--output-dir', 'certs']],
    ['certs/.bashrc', ['cert', 'issue', 'carol', '--output', 'certs']],
    ['conf/authorized_keys', ['export', '--output', 'conf']],
    ['alice', ['info', 'alice']],
    ['alice.pub', ['create', 'alice', '--ssh-key', 'alice.pub']],
    ['x', ['list', '--output', '']],
  ])('does not write to %j', async (path, words) => {
    const { ask, done } = caller(words);
    for (const question of [
      { case: 'writeFile', value: { path, text: 'z' } as never },
      { case: 'makeFolder', value: path },
    ] as const)
      expect(await ask(question)).toMatchObject({ case: 'refusal', value: { code: 'denied' } });
    expect(done).toEqual([]);
  });

  it('replaces no file in the folder of --output-dir, and replaces that of --output', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'questions-'));
    const path = join(folder, 'client.key');
    await writeFile(path, 'old');
    const write = (...words: string[]) =>
      answer(create(QuestionSchema, { question: { case: 'writeFile', value: { path, text: 'new' } as never } }), {
        io: terminalIo(),
        words,
        interrupted: never,
      });
    const refused = { case: 'refusal', value: { why: 'it already exists' } };
    expect(await write('cert', 'issue', 'carol', '--output-dir', folder)).toMatchObject(refused);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await write('export', '--output', path)).toMatchObject({ case: 'text' });
    expect(await readFile(path, 'utf8')).toBe('new');
  });

  it('is told of an interrupt, and of a question that the client does not know', async () => {
    const { ask } = caller(['create', 'alice']);
    const pending = Promise.reject(new Error('interrupted'));
    pending.catch(() => undefined);
    expect(await ask({ case: 'readStdin', value: 1 }, pending)).toMatchObject({ case: 'refusal' });
    expect(await ask({ case: undefined })).toMatchObject({ case: 'refusal', value: { code: 'usage' } });
  });
});
