/** Ctrl-C while a command runs. */
import type { AnyVerb } from '../catalogue/catalogue.ts';
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

interface Caller {
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
  readonly interrupts: Interrupts;
  readonly io: { stderr(text: string): void };
}

/**
 * Makes a call that Ctrl-C ends, see {@link Interrupts}. A program that has the terminal gets the keys itself. Rejects
 * with `partial` if the caller leaves a change that still runs.
 */
export async function interruptible(
  { signal, interrupts: { first, second }, io }: Caller,
  { name, changes, isCancellable }: AnyVerb,
  terminal: HandedOverTerminal | undefined,
  call: (ends: { readonly signal: AbortSignal; readonly cancelled: AbortSignal | undefined }) => Promise<CallAnswer>,
): Promise<CallAnswer> {
  if (first.aborted)
    throw new Failure('cancelled', { what: quoted(name), why: 'it was interrupted; nothing was changed' });
  if (!changes || terminal !== undefined) {
    using either = eitherSignal(signal, first);
    return await call({ signal: either.signal, cancelled: undefined });
  }
  using either = eitherSignal(signal, second);
  const { promise: left, reject } = Promise.withResolvers<never>();
  const pressed = (): void =>
    io.stderr(
      isCancellable === true
        ? '\nCancelling. Ctrl-C again leaves it running in the background.\n'
        : `\n${name} cannot be cancelled: it continues to its end. Ctrl-C again leaves it running in the background.\n`,
    );
  const leave = (): void =>
    reject(
      new Failure('partial', {
        what: quoted(name),
        why: 'it continues in the background',
        next: '"who" shows it while it runs, and your next shell how it ended',
      }),
    );
  first.addEventListener('abort', pressed, { once: true });
  second.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([call({ signal: either.signal, cancelled: first }), left]);
  } finally {
    first.removeEventListener('abort', pressed);
    second.removeEventListener('abort', leave);
  }
}
