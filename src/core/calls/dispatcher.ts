/**
 * One call, from the protocol to the capability: who may, what exactly, confirmed, recorded, done, recorded again.
 * Every way into the product ends here, so that no door has other rules than another.
 */
import { ulid } from 'ulid';
import { authorise, isVerbName, verbNamed, type AnyVerb } from '../../catalogue/catalogue.ts';
import { checkInput } from '../../catalogue/declaration/schema.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { JsonObject, JsonValue } from '../../domain/json.ts';
import { quoted } from '../../domain/text.ts';
import { formatUptime } from '../../domain/values/time.ts';
import type { Journal } from '../../journal/journal.ts';
import type { CallAnswer } from '../../protocol/messages.ts';
import type { ServiceContext } from '../../service/context.ts';
import type { Call } from '../../service/instances/context.ts';
import type { CallerTerminal } from '../../domain/terminal.ts';
import type { Capabilities } from './capabilities.ts';
import { recordActor } from '../../journal/recordActor.ts';
import type { CallEvent } from '../../domain/events/callEvent.ts';

/** Verbs that say nothing about the host and change nothing: not worth a record each. */
const unrecorded = new Set(['whoami', 'version', 'help']);

export interface DispatcherOptions {
  readonly journal: Pick<Journal, 'append' | 'head'>;
  readonly capabilities: Capabilities;
  /** What capabilities are given; its room hears of every change. */
  readonly service: ServiceContext;
  /**
   * Called after a verb that may have changed who may log in; the answer waits for it, so that a removed key is out
   * when it arrives.
   */
  readonly changed: () => Promise<void>;
  readonly now: () => number;
  /** Told how each call ended, and after how long. */
  readonly measured?: (verb: string, outcome: 'ok' | 'failed' | 'refused', durationMs: number) => void;
  /**
   * What wants a touch is done over ssh only soon after a login with a touched FIDO key: within so many milliseconds.
   * 0: always.
   */
  readonly touch: { readonly withinMs: number; readonly touchedAt: (login: string) => Date | undefined };
}

/** Any capability: the input has been checked against the verb's schema. */
type Capability = (context: ServiceContext, input: unknown, call: Call) => Promise<unknown>;

export interface Request {
  readonly actor: Actor;
  readonly verb: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly reachedAt: string | undefined;
  readonly session: string | undefined;
  readonly terminal: CallerTerminal | undefined;
  readonly signal: AbortSignal;
  readonly emit: (event: CallEvent) => void;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  #refuse: string | undefined;
  #changing = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** From now on new calls are refused with this reason. */
  refuse(reason: string): void {
    this.#refuse = reason;
  }

  /**
   * Whether a change (but a shell) is at work, or its outcome is still to be told: that is later than the end of its
   * operation.
   */
  get changing(): boolean {
    return this.#changing > 0;
  }

  async call(request: Request): Promise<CallAnswer> {
    const { actor } = request;
    if (!isVerbName(request.verb) || request.verb === 'help') {
      throw new Failure('unknown-command', { what: quoted(request.verb), why: 'there is no such verb', next: 'help' });
    }
    const name = request.verb;
    const verb = verbNamed(name);
    if (this.#refuse !== undefined && verb.changes) {
      throw new Failure('shutting-down', { what: 'the server', why: this.#refuse, next: 'try again in a minute' });
    }
    const id = ulid();
    const startedMs = this.#options.now();
    const { service, capabilities } = this.#options;
    const { room } = service;
    const target = targetOf(request.input);
    const refused = async (error: unknown): Promise<never> => {
      const failure = Failure.from(error);
      this.#options.measured?.(name, 'refused', this.#options.now() - startedMs);
      await this.#append({
        type: 'refused',
        call: id,
        verb: name,
        ...target,
        actor: recordActor(actor),
        failure: { code: failure.code, why: failure.why.slice(0, 200) },
      });
      throw failure;
    };

    let input: unknown;
    try {
      authorise(verb, actor);
      this.#wantTouch(verb, actor);
      input = checkInput(name, verb.input, request.input);
      confirm(verb, input);
    } catch (error) {
      return refused(error);
    }
    const recorded = forJournal(input);
    if (!unrecorded.has(name)) {
      await this.#append({ type: 'verb', call: id, verb: name, ...target, actor: recordActor(actor), input: recorded });
    }
    // A shell lasts as long as its user likes.
    const awaited = verb.changes && verb.handsOverTerminal !== true;
    if (awaited) this.#changing++;
    if (verb.changes)
      room.begun({ id, verb: name, target: target.target ?? null, actor, session: request.session ?? null });
    let failed: Failure | undefined;
    try {
      const capability = capabilities[name] as Capability;
      const result = await capability(service, input, {
        actor,
        signal: request.signal,
        recorded,
        reachedAt: request.reachedAt,
        session: request.session,
        terminal: request.terminal,
        progress: {
          step: (event) => {
            request.emit({ type: 'step', ...event });
            room.step(id, event);
          },
          note: (text) => request.emit({ type: 'note', text }),
          output: (text) => request.emit({ type: 'output', text }),
        },
      });
      if (!verb.changes) return { result };
      const journal = await this.#append({
        type: 'outcome',
        call: id,
        verb: name,
        ...target,
        actor: recordActor(actor),
        outcome: 'ok',
        durationMs: this.#options.now() - startedMs,
      });
      return { result, journal };
    } catch (error) {
      const failure = Failure.from(error);
      failed = failure;
      await this.#append({
        type: 'outcome',
        call: id,
        verb: name,
        ...target,
        actor: recordActor(actor),
        outcome: 'failed',
        failure: { code: failure.code, what: failure.what, why: failure.why },
        durationMs: this.#options.now() - startedMs,
      }).catch(() => undefined);
      throw failure;
    } finally {
      this.#options.measured?.(name, failed === undefined ? 'ok' : 'failed', this.#options.now() - startedMs);
      if (verb.changes) {
        room.ended(id, this.#options.now() - startedMs, failed);
        await this.#options.changed().finally(() => {
          if (awaited) this.#changing--;
        });
      }
    }
  }

  #wantTouch(verb: AnyVerb, { door, login }: Actor): void {
    const { withinMs, touchedAt } = this.#options.touch;
    if (verb.wantsTouch !== true || withinMs === 0 || door === 'local') return;
    const at = login === undefined ? undefined : touchedAt(login);
    if (at !== undefined && this.#options.now() - at.getTime() < withinMs) return;
    throw new Failure('denied', {
      what: quoted(verb.name),
      why:
        at === undefined
          ? 'this server wants a touch of a FIDO key for it, and you logged in without one'
          : `this server wants a touch of a FIDO key for it, and yours is more than ${formatUptime(withinMs)} ago`,
      next: `log in anew with a FIDO key (ssh-keygen -t ed25519-sk), and do this within ${formatUptime(withinMs)}; a connection that is kept open does not count anew`,
    });
  }

  async #append(entry: { type: string } & JsonObject): Promise<{ seq: number; hash: string }> {
    const { seq, hash } = await this.#options.journal.append(entry);
    return { seq, hash };
  }
}

/** What has to be typed or given before a dangerous verb runs; checked here too, whatever the door has asked. */
function confirm(verb: AnyVerb, input: unknown): void {
  if (verb.danger === 'none') return;
  const { yes, confirm: typed, user } = input as { yes?: boolean; confirm?: string; user?: string };
  if (yes === true || (typed !== undefined && typed === user)) return;
  if (typed !== undefined) {
    throw new Failure('confirmation-mismatch', {
      what: `"${verb.name} ${user ?? ''}"`,
      why: 'the name that was typed is another one; nothing was changed',
      next: `type ${user ?? 'the name'} to go on`,
    });
  }
  throw new Failure('confirmation-required', {
    what: `"${verb.name} ${user ?? ''}"`,
    why: 'it cannot be undone, and there is no terminal to ask on',
    next: `add --yes: ${verb.name} ${user ?? ''} --yes`,
  });
}

function targetOf(input: Readonly<Record<string, unknown>>): { target?: string } {
  const target = input['user'] ?? input['name'] ?? input['admin'] ?? input['image'] ?? input['network'];
  return typeof target === 'string' ? { target: target.slice(0, 64) } : {};
}

/** Checked input as the journal keeps it: public keys as their fingerprints, nothing that was merely typed. */
function forJournal(input: unknown): JsonObject {
  return Object.fromEntries(
    Object.entries(input as Record<string, unknown>).map(([key, value]) => [key, plain(value)]),
  );
}

function plain(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object') {
    if ('fingerprint' in value && typeof value.fingerprint === 'string') {
      const limits =
        'limits' in value && typeof value.limits === 'object' && value.limits !== null
          ? Object.entries(value.limits)
          : [];
      return limits.length === 0
        ? value.fingerprint
        : { fingerprint: value.fingerprint, ...Object.fromEntries(limits.map(([key, limit]) => [key, plain(limit)])) };
    }
    // A network, as it is written.
    if ('text' in value && typeof value.text === 'string') return value.text;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  return null;
}
