/** Output that is bytes and not text, for verbs that send a file. */
import type { Invocation } from '../catalogue/commanderProgram.ts';
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import type { HandedOverTerminal } from '../domain/terminal.ts';
import { quoted } from '../domain/text.ts';
import { typedAgain } from './typedAgain.ts';

interface ByteIo {
  readonly terminal: boolean;
  bytes?(data: Buffer): Promise<void>;
}

interface BytesOptions {
  readonly io: ByteIo;
  readonly prefix: string;
  readonly words: readonly string[];
  readonly actor: Actor;
}

/** Refuses to send bytes where they would be misread, before any input is read. */
export function requireBytes({ io, prefix, words, actor: { entryPoint } }: BytesOptions, call: Invocation): void {
  const { verb, format } = call;
  if (verb.sendsBytes !== true) return;
  const what = quoted(verb.name);
  if (format !== 'table')
    throw new Failure('usage', { what, why: 'it sends bytes, and has no other format', next: 'leave the format out' });
  if (io.bytes !== undefined && !io.terminal) return;
  if (entryPoint === 'remote')
    throw new Failure('usage', {
      what,
      why: 'the remote interface carries no bytes',
      next: `use it over ssh: ssh -p 2222 manage@HOST ${typedAgain(words, call)} > FILE`,
    });
  throw new Failure('usage', {
    what,
    why: 'its output is bytes, and this is a terminal',
    next: `redirect it: ${prefix} ${typedAgain(words, call)} > FILE`,
  });
}

/** Returns a terminal that takes bytes at the caller's pace, and gives no input. */
export function byteTerminal(io: ByteIo): HandedOverTerminal {
  const ignore = (): void => undefined;
  return {
    type: 'bytes',
    columns: 80,
    rows: 24,
    output: async (data) => io.bytes?.(data),
    hold: ignore,
    attach: ignore,
    giveBack: ignore,
  };
}
