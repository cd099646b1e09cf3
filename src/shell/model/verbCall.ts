/** Calls a verb and prints its steps as they come, then its answer. */
import { randomUUID } from 'node:crypto';
import { cancelling, cancelText, leftBehind } from '../../catalogue/cancelling.ts';
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import { targetOf } from '../../catalogue/declaration/verb.ts';
import type { Format } from '../../catalogue/format.ts';
import { namingFilters } from '../../catalogue/output/noMatch.ts';
import { loadFormat } from '../../catalogue/loadFormat.ts';
import { renderAnswer, renderFailure } from '../../catalogue/render.ts';
import type { Block } from '../../catalogue/declaration/view.ts';
import { exitCodes, Failure } from '../../domain/failure.ts';
import type { Actor } from '../../domain/access/actor.ts';
import type { HandedOverTerminal } from '../../domain/terminal.ts';
import type { CoreClient } from '../../protocol/client.ts';
import { hideKeys } from './hideKeys.ts';
import type { LiveCalls } from './liveCalls.ts';
import type { Ui } from './ui.ts';

/** The parts of the shell that a call uses. */
export interface CallContext {
  readonly shellId: string;
  readonly liveCalls: LiveCalls;
  readonly options: { readonly core: CoreClient; readonly actor: Actor; readonly ui: Ui; readonly reachedAt: string };
  offerForCopying(text: string): void;
}

/** How a call ended. */
export type CallEnd =
  | { readonly kind: 'done'; readonly result: unknown; readonly blocks: readonly Block[]; readonly exitCode: number }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly exitCode: number }
  | { readonly kind: 'stopped'; readonly exitCode: number }
  /** It still runs, without its line. */
  | { readonly kind: 'left'; readonly exitCode: number };

export interface VerbCall {
  readonly verb: AnyVerb;
  readonly input: Readonly<Record<string, unknown>>;
  readonly format: Format;
  readonly line: string;
}

/**
 * Calls the verb and prints its answer or failure. `handOver` hands over the terminal from what draws on it. Resolves
 * early if the user leaves the call running, whose end is printed all the same. Never rejects.
 */
export async function callVerb(
  call: VerbCall,
  context: CallContext,
  handOver = () => context.options.ui.handOver(),
): Promise<CallEnd> {
  const { verb, input, line } = call;
  const { liveCalls, options } = context;
  const id = randomUUID();
  const stop = new AbortController();
  const cancel = new AbortController();
  const { promise: left, resolve: leave } = Promise.withResolvers<CallEnd>();
  const leaveIt = (): void => {
    liveCalls.leave(id);
    const { what, why } = leftBehind(verb, input, options.actor.entryPoint);
    note(context, `${what}: ${why}. Its end is told here.`);
    leave({ kind: 'left', exitCode: exitCodes.partial });
  };
  const cancelIt = (): void => {
    cancel.abort();
    liveCalls.setCtrlC(id, { does: 'leave', act: leaveIt });
    const again = options.ui.plain ? '; Ctrl-C again does not wait for that' : '';
    liveCalls.addNote(id, `${cancelText(verb, input)}${again}`);
    options.ui.changed();
  };
  const how = cancelling(verb, input);
  liveCalls.add({
    id,
    title: hideKeys(line),
    verb: verb.name,
    target: targetOf(verb, input),
    own: true,
    startedMs: performance.now(),
    ctrlC: !verb.changes
      ? { does: 'stop', act: () => stop.abort() }
      : how === undefined
        ? undefined
        : { does: how === 'undo' ? 'cancel' : 'rest', act: cancelIt },
    hangUp: verb.handsOverTerminal === true ? () => stop.abort() : undefined,
  });
  options.ui.changed();
  return Promise.race([awaited(id, call, context, { stop: stop.signal, cancel: cancel.signal, handOver }), left]);
}

interface Ends {
  readonly stop: AbortSignal;
  readonly cancel: AbortSignal;
  readonly handOver: () => Promise<HandedOverTerminal>;
}

/** Makes a call and prints how it ends. */
async function awaited(
  id: string,
  { verb, input, format }: VerbCall,
  context: CallContext,
  { stop, cancel, handOver }: Ends,
): Promise<CallEnd> {
  const { core, actor, ui, reachedAt } = context.options;
  const { liveCalls, shellId } = context;
  let terminal: HandedOverTerminal | undefined;
  try {
    await loadFormat(format);
    if (verb.handsOverTerminal === true) terminal = await handOver();
    const answer = await core.call(
      {
        actor,
        verb: verb.name,
        input,
        shell: shellId,
        reachedAt,
        cancelled: cancel,
        ...(verb.isPlan === true ? { plan: true } : {}),
      },
      (event) => {
        if (event.type === 'step') liveCalls.setStep(id, event);
        else if (event.type === 'note') liveCalls.addNote(id, event.text);
        else ui.print({ kind: 'raw', text: event.text });
        ui.changed();
      },
      stop,
      terminal,
    );
    terminal?.giveBack();
    finish(context, id);
    if (stop.aborted) {
      note(context, 'Stopped.');
      return { kind: 'stopped', exitCode: exitCodes.ok };
    }
    const { stdout, exitCode } = renderAnswer({ verb, ...answer }, format, core.greeting.host, {
      now: new Date(),
      terminal: true,
    });
    if (format !== 'table') {
      ui.print({ kind: 'raw', text: stdout });
      return { kind: 'done', result: answer.result, blocks: [], exitCode };
    }
    const view = verb.view(answer.result as never, { now: new Date(), terminal: true });
    const blocks = namingFilters(view, verb, input);
    const copy = verb.copy?.(answer.result as never);
    if (copy !== undefined) context.offerForCopying(copy);
    ui.print({ kind: 'blocks', blocks });
    return { kind: 'done', result: answer.result, blocks, exitCode };
  } catch (error) {
    terminal?.giveBack();
    finish(context, id);
    const failure = Failure.from(error);
    if (stop.aborted) note(context, 'Stopped.');
    else if (format === 'json' || format === 'yaml')
      ui.print({ kind: 'raw', text: renderFailure(failure, verb.name, format, core.greeting.host).stdout });
    else ui.print({ kind: 'failure', failure: failure.toData() });
    return stop.aborted
      ? { kind: 'stopped', exitCode: exitCodes.ok }
      : { kind: 'failed', failure, exitCode: failure.exitCode };
  } finally {
    ui.changed();
  }
}

function note({ options: { ui } }: CallContext, text: string): void {
  ui.print({ kind: 'note', text });
}

/** Moves the steps of a call from the live part of the screen into the transcript. */
function finish({ liveCalls, options: { ui } }: CallContext, id: string): void {
  const ended = liveCalls.remove(id);
  if (ended !== undefined && (ended.steps.length > 0 || ended.notes.length > 0))
    ui.print({ kind: 'steps', steps: ended.steps, notes: ended.notes });
}
