/**
 * Runs calls: authorises the actor, checks the input, requires confirmation, records the call, runs the capability and
 * records the outcome. Every entry point leads here, so that the same rules hold for all of them.
 */
import { newUlid } from '../../domain/newUlid.ts';
import { authorise, isVerbName, verbNamed } from '../../catalogue/catalogue.ts';
import { checkInput } from '../../catalogue/declaration/schema.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { JsonObject } from '../../domain/json.ts';
import { namingOddCharacter } from '../../domain/oddCharacters.ts';
import { quoted } from '../../domain/text.ts';
import type { Journal } from '../../journal/journal.ts';
import type { CallAnswer } from '../../protocol/messages.ts';
import type { ServiceContext } from '../../service/context.ts';
import type { Call } from '../../service/instances/context.ts';
import type { CallerTerminal } from '../../domain/terminal.ts';
import { CallRecords } from '../records/callRecords.ts';
import { failureFor } from './failureFor.ts';
import type { AnsweredVerb, Capabilities } from './capabilities.ts';
import { onBehalfOf } from '../../domain/access/caller.ts';
import { cancellable } from '../../domain/cancellation.ts';
import { cancelling } from '../../catalogue/cancelling.ts';
import { OwnTurns } from '../turns/ownTurns.ts';
import { forJournal, recordedTarget } from './journalForm.ts';
import { requireConfirmation, requireGrantHere, requirePlan, requireTouch, type TouchRule } from './safeguards.ts';
import { recordActor } from '../../journal/recordActor.ts';
import type { CallEvent } from '../../domain/events/callEvent.ts';
import type { Plan } from '../../domain/results/plan.ts';

export interface DispatcherOptions {
  readonly journal: Pick<Journal, 'append' | 'head'>;
  readonly capabilities: Capabilities;
  /** Makes the plan of a call. */
  readonly plan: (planned: PlannedCall) => Promise<Plan>;
  /** The context of every capability. Its room is notified of every change. */
  readonly service: ServiceContext;
  /**
   * Called after a verb that may have changed who may log in. The answer waits for it, so that a removed key is
   * rejected from the moment the answer arrives.
   */
  readonly changed: () => Promise<void>;
  readonly now: () => number;
  /** Called with the outcome and the duration of each call. */
  readonly measured?: (verb: string, outcome: 'ok' | 'failed' | 'refused', durationMs: number) => void;
  readonly touch: TouchRule;
  /** Whether verbs that change who may come in are allowed over the remote interface. */
  readonly remoteAccessVerbs?: boolean;
}

/** A checked call of which only the plan is wanted. */
export interface PlannedCall {
  readonly verb: AnsweredVerb;
  readonly target: string | undefined;
  readonly input: unknown;
  readonly call: Call;
}

const tooManyChanges = new Failure('busy', {
  what: 'the server',
  why: 'you have begun too many changes within an hour',
  next: 'try again in an hour',
});

/** Any capability: the input has been checked against the verb's schema. */
type Capability = (context: ServiceContext, input: unknown, call: Call) => Promise<unknown>;

export interface Request {
  readonly actor: Actor;
  readonly verb: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Asks for the plan of the call instead of the call. */
  readonly plan?: boolean;
  readonly reachedAt: string | undefined;
  readonly shell: string | undefined;
  readonly terminal: CallerTerminal | undefined;
  readonly signal: AbortSignal;
  /** Aborted when the caller wants the change ended and undone. A verb that cannot be cancelled ignores it. */
  readonly cancelled?: AbortSignal;
  readonly emit: (event: CallEvent) => void;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #records: CallRecords;
  readonly #turns = new OwnTurns();
  #refusal: string | undefined;
  #changing = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#records = new CallRecords({ append: (entry) => options.journal.append(entry), now: options.now });
  }

  /** Writes what is summed up of calls. Rejects if the journal does. */
  async settled(): Promise<void> {
    await this.#records.flush();
  }

  /** Refuses every new call that changes something, with this reason. */
  refuse(reason: string): void {
    this.#refusal = reason;
  }

  /**
   * True while a change runs or its answer has not been sent, which is later than the end of its operation. Terminal
   * sessions do not count.
   */
  get changing(): boolean {
    return this.#changing > 0;
  }

  async call(request: Request): Promise<CallAnswer> {
    const { actor } = request;
    if (!isVerbName(request.verb) || verbNamed(request.verb).answeredLocally === true) {
      throw new Failure('unknown-command', {
        what: quoted(request.verb),
        why: 'there is no such verb',
        next: 'see "help"',
      });
    }
    const name = request.verb as AnsweredVerb;
    const verb = verbNamed(name);
    const isPlan = request.plan === true;
    // Making a plan is a call that reads.
    const changes = verb.changes && !isPlan;
    if (this.#refusal !== undefined && changes) {
      throw new Failure('shutting-down', { what: 'the server', why: this.#refusal, next: 'try again in a minute' });
    }
    const isListed = this.#records.lists(actor, changes);
    const id = newUlid();
    const startedMs = this.#options.now();
    const { service, capabilities } = this.#options;
    const { room } = service;
    const target = recordedTarget(verb, request.input, actor);
    /** What every record of this call has. */
    const record = { call: id, verb: isPlan ? `${name} --plan` : name, ...target, actor: recordActor(actor) };
    const told = async (error: unknown): Promise<Failure> =>
      namingOddCharacter(await failureFor(error, actor, service, request.signal, verb), Object.values(request.input));
    const refused = async (error: unknown, isAboutInput: boolean): Promise<never> => {
      const failure = await told(error);
      this.#options.measured?.(record.verb, 'refused', this.#options.now() - startedMs);
      if (!isListed) this.#records.sum(actor, 'refused');
      else
        await this.#append({
          type: 'refused',
          ...record,
          // The reason may quote the input that was refused.
          failure: { code: failure.code, ...(isAboutInput ? {} : { why: failure.why.slice(0, 200) }) },
        });
      throw failure;
    };

    let input: unknown;
    let isChecking = false;
    try {
      authorise(verb, actor);
      if (!isListed && changes) throw tooManyChanges;
      requireGrantHere(verb, actor, this.#options.remoteAccessVerbs === true);
      if (isPlan) requirePlan(verb);
      else requireTouch(verb, actor, this.#options.touch, this.#options.now());
      isChecking = true;
      const given = isPlan ? (verb.planned?.(request.input) ?? request.input) : request.input;
      input = checkInput(verb, given);
      isChecking = false;
      if (!isPlan) requireConfirmation(verb, request.input);
    } catch (error) {
      return refused(error, isChecking);
    }
    const recorded = forJournal(input);
    if (verb.unrecorded !== true && isListed) {
      await this.#append({ type: 'verb', ...record, input: recorded }).catch((error: unknown) => {
        if (verb.helpsRepair !== true || changes || !isFailure(error, 'journal-unwritable')) throw error;
        request.emit({ type: 'note', text: `This call is not recorded: ${error.what}: ${error.why}` });
      });
    }
    // A terminal session lasts as long as its user likes, so a stop of the server does not wait for it.
    const awaited = changes && verb.handsOverTerminal !== true;
    if (awaited) this.#changing++;
    if (changes) room.begun({ id, verb: name, target: target.target ?? null, actor, shell: request.shell ?? null });
    let failed: Failure | undefined;
    try {
      const capability = capabilities[name] as Capability;
      const made: Call = {
        actor,
        signal: request.signal,
        permit: (other) => this.#permit(other, actor, isPlan),
        recorded,
        reachedAt: request.reachedAt,
        shell: request.shell,
        terminal: request.terminal,
        progress: {
          step: (event) => {
            request.emit({ type: 'step', ...event });
            room.step(id, event);
          },
          note: (text) => request.emit({ type: 'note', text }),
          output: (text) => request.emit({ type: 'output', text }),
        },
      };
      const planned = { verb: name, target: target.target, input, call: made };
      const act = (): Promise<unknown> => (isPlan ? this.#options.plan(planned) : capability(service, input, made));
      const { cancelled: signal } = request;
      const cancellation =
        signal === undefined || cancelling(verb, request.input) === undefined
          ? undefined
          : { signal, what: quoted([name, target.target ?? ''].join(' ').trim()) };
      const run = (): Promise<unknown> => onBehalfOf(actor, () => cancellable(cancellation, act));
      const result = await (verb.readsHistory === true ? this.#turns.run(actor, request.signal, run) : run());
      if (!changes) return { result };
      const journal = await this.#append({
        type: 'outcome',
        ...record,
        outcome: 'ok',
        durationMs: this.#options.now() - startedMs,
        ...unanswered(request.signal),
      });
      return { result, journal };
    } catch (error) {
      const failure = await told(error);
      failed = failure;
      if (!isListed) throw failure;
      await this.#append({
        type: 'outcome',
        ...record,
        outcome: 'failed',
        failure: { code: failure.code, what: failure.what, why: failure.why },
        durationMs: this.#options.now() - startedMs,
        ...unanswered(request.signal),
      }).catch(() => undefined);
      throw failure;
    } finally {
      if (!isListed) this.#records.sum(actor, failed === undefined ? 'ok' : 'failed');
      this.#options.measured?.(record.verb, failed === undefined ? 'ok' : 'failed', this.#options.now() - startedMs);
      if (changes) {
        room.ended(id, this.#options.now() - startedMs, failed);
        await this.#options.changed().finally(() => {
          if (awaited) this.#changing--;
        });
      }
    }
  }

  /** Makes the checks of a verb whose change another verb makes or takes back. A plan needs no touch. */
  #permit(name: string, actor: Actor, isPlan: boolean): void {
    if (!isVerbName(name)) return;
    const verb = verbNamed(name);
    requireGrantHere(verb, actor, this.#options.remoteAccessVerbs === true);
    if (!isPlan) requireTouch(verb, actor, this.#options.touch, this.#options.now());
  }

  async #append(entry: { type: string } & JsonObject): Promise<{ seq: number; hash: string }> {
    const { seq, hash } = await this.#options.journal.append(entry);
    return { seq, hash };
  }
}

/** Returns what marks the outcome of a call whose caller no longer waited for it. */
function unanswered({ aborted }: AbortSignal): { readonly unanswered?: true } {
  return aborted ? { unanswered: true } : {};
}
