/**
 * A command line on the host, over core's socket, from words to exit code: what `containarium` sends knows no verb, so
 * it starts without the catalogue.
 */
import type { Socket } from 'node:net';
import * as z from 'zod';
import { Interrupts } from '../../commandLine/interrupts.ts';
import { MessageLines } from '../../commandLine/otherEnd/messageLines.ts';
import { StreamIo, type RunInput } from '../../commandLine/otherEnd/streamIo.ts';
import { runCommand } from '../../commandLine/run.ts';
import { onBehalfOf } from '../../domain/access/caller.ts';
import { check, misfitText } from '../../domain/check.ts';
import { Failure } from '../../domain/failure.ts';
import type { CoreClient } from '../../protocol/client.ts';
import { maxMessageBytes } from '../../protocol/connection.ts';
import type { Greeting } from '../../protocol/messages.ts';
import { candidates } from '../../service/candidates.ts';
import type { ServiceContext } from '../../service/context.ts';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { Logins } from '../logins/logins.ts';

export interface LocalCommandOptions {
  readonly greeting: Greeting;
  readonly dispatcher: Dispatcher;
  readonly logins: Logins;
  readonly service: ServiceContext;
}

/** The first message of a command line. */
const commandLine = z.object({
  command: z.object({
    words: z.array(z.string()),
    prefix: z.string(),
    /** The person who runs the command. */
    name: z.string().transform((name) => name.slice(0, 64)),
    tty: z.object({ size: z.object({ columns: z.number(), rows: z.number() }), type: z.string() }).optional(),
    /** Whether standard output takes bytes. */
    takesBytes: z.boolean(),
  }),
});

/** How long a program may take to send its command line, in milliseconds. */
const commandMs = 10_000;

/** How long a completion may take, in milliseconds. */
const completionMs = 5000;

/** Output that waits for a caller, in bytes. A pager may take it late, and root may fill the memory. */
const maxWaitingBytes = 512 * 1024 * 1024;

/** Runs the command line that arrives over a connection. Resolves when it is answered. Never rejects. */
export async function runLocalCommand(socket: Socket, options: LocalCommandOptions): Promise<void> {
  const { logins, service } = options;
  const stream = new MessageLines(socket, maxMessageBytes);
  const gone = new AbortController();
  for (const event of ['cancelled', 'error']) stream.on(event, () => gone.abort());
  const interrupts = new Interrupts();
  const io = new StreamIo(stream, {
    interrupted: () => interrupts.press(),
    stuck: (failure) => stream.destroy(failure),
    maxWaitingBytes,
  });
  const first = new Promise<RunInput | undefined>((resolve) => {
    stream.once('data', resolve);
    for (const event of ['end', 'cancelled', 'error']) stream.once(event, () => resolve(undefined));
  });
  const silent = setTimeout(() => stream.destroy(), commandMs);
  const checked = check(commandLine, await first);
  clearTimeout(silent);
  if (checked.misfit !== undefined) {
    const why = misfitText(checked.misfit, 'the first message');
    stream.end({ failure: new Failure('usage', { what: 'the command line', why }).toData() });
    return;
  }
  const { words, prefix, name, tty, takesBytes } = checked.value.command;
  // A program of another version could wait for ever otherwise: a command may take long until it prints.
  stream.write({ begun: true });
  io.begin(tty);
  if (takesBytes) io.takeBytes();
  const actor = logins.openLocal(name, { ended: () => gone.abort() });
  try {
    const exit = await runCommand({
      words,
      actor,
      core: directClient(options),
      io,
      signal: gone.signal,
      interrupts,
      prefix,
      isFirst: true,
      candidates: (what, user) =>
        onBehalfOf(actor, () => candidates(service, { what, user, actor }, AbortSignal.timeout(completionMs))),
    });
    stream.end({ exit });
  } finally {
    if (actor.login !== undefined) logins.close(actor.login);
  }
}

/** Returns a client of core in core itself. An answer is the JSON that every other caller gets. */
function directClient({ greeting, dispatcher }: LocalCommandOptions): CoreClient {
  return {
    greeting,
    async call({ actor, verb, input, plan, reachedAt, cancelled }, onEvent, signal, terminal) {
      const answer = await dispatcher.call({
        actor,
        verb,
        input,
        ...(plan === true ? { plan } : {}),
        reachedAt,
        shell: undefined,
        terminal,
        signal,
        ...(cancelled === undefined ? {} : { cancelled }),
        emit: onEvent,
      });
      return JSON.parse(JSON.stringify(answer)) as typeof answer;
    },
  };
}
