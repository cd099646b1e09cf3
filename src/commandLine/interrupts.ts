/** Ctrl-C while a command runs. */
import { cancelText, leftBehind } from '../catalogue/cancelling.ts';
import type { AnyVerb } from '../catalogue/catalogue.ts';
import type { EntryPoint } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { eitherSignal } from '../domain/signals.ts';
import type { HandedOverTerminal } from '../domain/terminal.ts';
import { quoted } from '../domain/text.ts';
import type { CallAnswer } from '../protocol/messages.ts';

/**
 * What Ctrl-C does to a command. The first one stops a verb that reads, and cancels a change that can be cancelled. A
 * second one leaves a change running, without its caller.
 */
export class Interrupts {
  readonly #first = new AbortController();
  readonly #second = new AbortController();

  /** Aborted by the first Ctrl-C. */
  get first(): AbortSignal {
    return this.#first.signal;
  }

  /** Aborted by the second Ctrl-C. */
  get second(): AbortSignal {
    return this.#second.signal;
  }

  press(): void {
    if (this.#first.signal.aborted) this.#second.abort();
    else this.#first.abort();
  }
}

interface InterruptibleCall {
  readonly verb: AnyVerb;
  readonly input: Readonly<Record<string, unknown>>;
  /** The terminal of a program, which gets the keys itself. */
  readonly terminal: HandedOverTerminal | undefined;
  readonly entryPoint: EntryPoint;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
  readonly interrupts: Interrupts;
  readonly say: (text: string) => void;
}

/**
 * Makes a call that Ctrl-C ends, see {@link Interrupts}. Rejects with `partial` if the caller leaves a change that
 * still runs.
 */
export async function interruptible(
  { verb, input, terminal, entryPoint, signal, interrupts: { first, second }, say }: InterruptibleCall,
  call: (ends: { readonly signal: AbortSignal; readonly cancelled: AbortSignal | undefined }) => Promise<CallAnswer>,
): Promise<CallAnswer> {
  if (first.aborted)
    throw new Failure('cancelled', { what: quoted(verb.name), why: 'it was interrupted; nothing was changed' });
  if (!verb.changes || terminal !== undefined) {
    using either = eitherSignal(signal, first);
    return await call({ signal: either.signal, cancelled: undefined });
  }
  using either = eitherSignal(signal, second);
  const { promise: left, reject } = Promise.withResolvers<never>();
  const pressed = (): void => say(`\n${cancelText(verb, input)}. Ctrl-C again does not wait for that.\n`);
  const leave = (): void => reject(leftBehind(verb, input, entryPoint));
  first.addEventListener('abort', pressed, { once: true });
  second.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([call({ signal: either.signal, cancelled: first }), left]);
  } finally {
    first.removeEventListener('abort', pressed);
    second.removeEventListener('abort', leave);
  }
}
