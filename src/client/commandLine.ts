/** Runs a command line on a server: sends the words, prints what comes back, and answers what the server asks. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CommandIo } from '../commandLine/run.ts';
import { Failure } from '../domain/failure.ts';
import type { HandedOverTerminal } from '../domain/terminal.ts';
import type { RunInputSchema, RunOutput } from '../grpc/generated/containarium/v1/verbs_pb.ts';
import { Interrupts } from './interrupts.ts';
import { answer } from './questions.ts';

/** What the client sends, and what the server does, as verbs.proto has it. */
export type Input = NonNullable<MessageInitShape<typeof RunInputSchema>['input']>;
export type Output = RunOutput['output'];

/** A command line on its way: what the server prints and asks, and the way back. */
export interface RunCall extends AsyncIterable<Output> {
  /** Sends a message. After the end of the call it does nothing. */
  send(input: Input): void;
}

export interface RemoteCommand {
  readonly words: readonly string[];
  /** What precedes the words, for help and messages. */
  readonly prefix: string;
  readonly io: CommandIo;
}

/**
 * Resolves with the exit code. Rejects with the failure of a server that does not answer to the end. `open` opens the
 * call, which its signal leaves.
 */
export async function runThere(
  open: (gaveUp: AbortSignal) => RunCall,
  { words, prefix, io }: RemoteCommand,
): Promise<number> {
  const terminal = io.handOver?.();
  const interrupts = new Interrupts(() => send({ case: 'interrupt', value: true }));
  const call = open(interrupts.gaveUp);
  const send = (input: Input): void => call.send(input);
  let exit: number | undefined;
  let isLineOpen = false;
  try {
    send({ case: 'command', value: { words: [...words], prefix, ...(terminal === undefined ? {} : tty(terminal)) } });
    for await (const output of call) {
      if (output.case === 'exit') exit = output.value;
      else if (output.case === 'question') {
        const question = output.value;
        const reply = await interrupts.during((interrupted) => answer(question, { io, words, interrupted }));
        send({ case: 'reply', value: { reply } });
      } else {
        if (output.case === 'stdout' || output.case === 'stderr') isLineOpen = !output.value.endsWith('\n');
        await show(output, io, terminal, send);
      }
    }
    if (exit !== undefined) return exit;
    throw new Failure('unexpected-output', { what: 'the server', why: 'it ended the command without an exit code' });
  } catch (error) {
    // A step that has begun has no line end yet.
    if (isLineOpen) io.stderr('\n');
    throw error;
  } finally {
    terminal?.giveBack();
    interrupts.stop();
  }
}

function tty({ type, columns, rows }: HandedOverTerminal): {
  tty: { size: { columns: number; rows: number }; type: string };
} {
  return { tty: { size: { columns, rows }, type } };
}

async function show(
  output: Exclude<Output, { case: 'exit' | 'question' }>,
  io: CommandIo,
  terminal: HandedOverTerminal | undefined,
  send: (input: Input) => void,
): Promise<void> {
  switch (output.case) {
    case 'stdout': {
      io.stdout(output.value);
      return;
    }
    case 'stderr': {
      io.stderr(output.value);
      return;
    }
    case 'terminal':
      return terminal?.output(Buffer.from(output.value));
    case 'hold':
      return terminal?.hold(output.value);
    case 'attached':
      if (!output.value) return terminal?.giveBack();
      return terminal?.attach({
        input: (data) => send({ case: 'typed', value: data }),
        resize: (columns, rows) => send({ case: 'resize', value: { columns, rows } }),
        end: () => undefined,
      });
    case undefined:
      // A message of a newer server.
      return;
  }
}
