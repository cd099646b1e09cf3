/**
 * Answers what a server asks of the caller during a command: standard input, a line, files. So that one that was taken
 * over reaches no others, a server gets only files that the command line names, and writes only the file of `--output`
 * and new files in the folder of `--output-dir`, none of them hidden.
 */
import { basename, dirname, resolve } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CommandIo } from '../commandLine/run.ts';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import type { Question, ReplySchema } from '../grpc/generated/containarium/v1/verbs_pb.ts';

export type Reply = NonNullable<MessageInitShape<typeof ReplySchema>['reply']>;

export interface AnswerOptions {
  readonly io: Pick<CommandIo, 'readStdin' | 'ask' | 'files'>;
  readonly words: readonly string[];
  /** Rejects when the caller interrupts. */
  readonly interrupted: Promise<never>;
}

/** Longest file that is sent, in bytes: the server takes no longer message. */
const maxFileBytes = 256 * 1024;

/** Longest standard input that is sent, in bytes. */
const maxStdinBytes = 256 * 1024;

/** Never rejects: a reason for no answer is a reply too. */
export async function answer({ question }: Question, { io, words, interrupted }: AnswerOptions): Promise<Reply> {
  interrupted.catch(() => undefined);
  try {
    return { case: 'text', value: await Promise.race([text(question, io, words), interrupted]) };
  } catch (error) {
    const { code, what, why, next } = Failure.from(error);
    return { case: 'refusal', value: { code, what, why, ...(next === undefined ? {} : { next }) } };
  }
}

async function text(
  question: Question['question'],
  { readStdin, ask, files }: AnswerOptions['io'],
  words: readonly string[],
): Promise<string> {
  switch (question.case) {
    case 'readStdin':
      return readStdin(Math.min(question.value, maxStdinBytes));
    case 'ask':
      return ask(question.value);
    case 'readFile': {
      requireNamed(question.value, isIn(inputsOf(words), question.value));
      const content = (await files?.read(question.value)) ?? '';
      if (Buffer.byteLength(content) <= maxFileBytes) return content;
      const why = `it is longer than ${maxFileBytes / 1024} KiB`;
      throw new Failure('input-too-large', { what: `file ${quoted(question.value)}`, why });
    }
    case 'writeFile': {
      const { path, text: content } = question.value;
      const { outputs, folders } = outputsOf(words);
      const isNamed = isIn(outputs, path);
      requireNamed(path, isNamed || (isIn(folders, dirname(resolve(path))) && !basename(path).startsWith('.')));
      await files?.write(path, content, { isNew: !isNamed });
      return '';
    }
    case 'makeFolder':
      requireNamed(question.value, isIn(outputsOf(words).folders, question.value));
      await files?.makeFolder(question.value);
      return '';
    case undefined:
      throw new Failure('usage', { what: 'a question of the server', why: 'this version does not know it' });
  }
}

/** The option with its value in the same word, or alone. `-o` is short for `--output`. */
const outputOption = /^(?:--(output|output-dir)(?:=(.*))?|-o(.+)?)$/s;

/** Returns everything that the words may name for the server to read: each word, and what follows an equals sign. */
function inputsOf(words: readonly string[]): string[] {
  return words
    .filter((word, i) => !outputOption.test(word) && !/^(?:--output(?:-dir)?|-o)$/.test(words[i - 1] ?? ''))
    .flatMap((word) => [word, word.slice(word.indexOf('=') + 1)]);
}

/** Returns the values of `--output` and of `--output-dir`, for which the verbs of `cert` also take `--output`. */
function outputsOf(words: readonly string[]): { readonly outputs: string[]; readonly folders: string[] } {
  const outputs: string[] = [];
  const folders: string[] = [];
  for (const [i, word] of words.entries()) {
    const found = outputOption.exec(word);
    if (found === null) continue;
    const isFolder = found[1] === 'output-dir' || words.includes('cert');
    (isFolder ? folders : outputs).push(found[2] ?? found[3] ?? words[i + 1] ?? '');
  }
  return { outputs, folders };
}

function isIn(named: readonly string[], path: string): boolean {
  return named.some((each) => each !== '' && resolve(each) === resolve(path));
}

function requireNamed(path: string, isNamed: boolean): void {
  if (isNamed) return;
  throw new Failure('denied', {
    what: `file ${quoted(path)}`,
    why: 'the server asks for it, but the command line does not name it',
    next: 'the server may have been taken over: tell its admin',
  });
}
