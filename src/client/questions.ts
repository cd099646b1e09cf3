/**
 * Answers what a server asks of the caller during a command: standard input, a line, files. A server gets and writes
 * only files that the command line names, so that one that was taken over reaches no others.
 */
import { dirname, resolve } from 'node:path';
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
      requireNamed(question.value, namedBy(words));
      const content = (await files?.read(question.value)) ?? '';
      if (Buffer.byteLength(content) <= maxFileBytes) return content;
      const why = `it is longer than ${maxFileBytes / 1024} KiB`;
      throw new Failure('input-too-large', { what: `file ${quoted(question.value)}`, why });
    }
    case 'writeFile': {
      const { path, text: content } = question.value;
      requireNamed(path, outputsOf(words));
      await files?.write(path, content);
      return '';
    }
    case 'makeFolder':
      requireNamed(question.value, outputsOf(words));
      await files?.makeFolder(question.value);
      return '';
    case undefined:
      throw new Failure('usage', { what: 'a question of the server', why: 'this version does not know it' });
  }
}

/** Returns everything that the words may name: each word, and what follows an equals sign. */
function namedBy(words: readonly string[]): string[] {
  return words.flatMap((word) => [word, word.slice(word.indexOf('=') + 1)]).filter((word) => word !== '');
}

/** Returns the values of `--output` and `--output-dir`. */
function outputsOf(words: readonly string[]): string[] {
  const value = /^--output(?:-dir)?(?:=(.*))?$/;
  return words.flatMap((word, i) => {
    const found = value.exec(word);
    const path = found === null ? undefined : (found[1] ?? words[i + 1]);
    return path === undefined || path === '' ? [] : [path];
  });
}

function requireNamed(path: string, named: readonly string[]): void {
  const wanted = resolve(path);
  if (named.some((each) => [wanted, dirname(wanted)].includes(resolve(each)))) return;
  throw new Failure('denied', {
    what: `file ${quoted(path)}`,
    why: 'the server asks for it, but the command line does not name it',
    next: 'the server may have been taken over: tell its admin',
  });
}
