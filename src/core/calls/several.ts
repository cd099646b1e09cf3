/**
 * Calls that change several containers: each by the capability for one, with an operation and an undo of its own. One
 * that fails does not stop the others.
 */
import pMap from 'p-map';
import { verbNamed } from '../../catalogue/catalogue.ts';
import { nothingSelected } from '../../catalogue/selection.ts';
import { presentCancellation, toItsEnd } from '../../domain/cancellation.ts';
import { Failure } from '../../domain/failure.ts';
import { lazily } from '../../domain/lazily.ts';
import type { Outcome, Several } from '../../domain/results/several.ts';
import { selects, type Selection } from '../../domain/results/selection.ts';
import { parseName, type Username } from '../../domain/values/username.ts';
import type { ServiceContext } from '../../service/context.ts';
import type { Call } from '../../service/instances/context.ts';
import { listContainers } from '../../service/list.ts';
import { failureFor } from './failureFor.ts';

/** Changes at a time. The host could make more, but starting fifty containers at once makes each of them slow. */
const maxConcurrent = 4;

/** What selects containers in the input of a verb. */
interface Selecting extends Pick<Selection, 'labels' | 'state'> {
  readonly user?: Username | readonly Username[] | undefined;
}

/** The rest of an input, with the user of one container. */
type OfOne<Input> = Omit<Input, 'user' | 'labels' | 'state'> & { readonly user: Username };

type SeveralVerb = 'start' | 'stop' | 'restart' | 'resize' | 'delete';

/** Returns the capability for one container or several. `change` changes one. */
export function oneOrSeveral<Input extends Selecting, Result>(
  verb: SeveralVerb,
  change: (context: ServiceContext, input: OfOne<Input>, call: Call) => Promise<Result>,
): (context: ServiceContext, input: Input, call: Call) => Promise<Result | Several<Result>> {
  return async (context, input, call) => {
    const { user, labels, state, ...rest } = input;
    const isSelection = labels !== undefined || state !== undefined;
    const one = (name: Username | undefined): OfOne<Input> => ({ ...rest, user: name }) as OfOne<Input>;
    if (!isSelection && !Array.isArray(user)) return change(context, one(user as Username | undefined), call);
    if (call.actor.entryPoint === 'self') throw onlyOne(verb, call);
    const named = user === undefined ? undefined : ([user].flat() as readonly Username[]);
    const users = isSelection ? await selected(context, { labels, state }, named, call) : (named ?? []);
    if (users.length === 0) throw nothingSelected(verbNamed(verb), { user, labels, state });
    const isPlan = call.isPlan === true;
    let ended = 0;
    const outcomes = await pMap(
      users,
      async (name): Promise<Outcome<Result>> => {
        const startedMs = context.now().getTime();
        const outcome = await outcomeOf(
          name,
          () => beginOne(() => change(context, one(name), callFor(name, call))),
          context,
          call,
        );
        if (isPlan && !outcome.ok)
          call.progress.note(`${name} would be refused: ${outcome.error.what}: ${outcome.error.why}`);
        if (!isPlan)
          call.progress.step({
            index: ++ended,
            total: users.length,
            title: name,
            state: outcome.ok ? 'done' : 'failed',
            elapsedMs: context.now().getTime() - startedMs,
          });
        return outcome;
      },
      // A plan notes commands in the order in which they would run for one container after the other.
      { concurrency: isPlan ? 1 : maxConcurrent },
    );
    return { outcomes };
  };
}

/** Runs the change of one container to its end. Throws `cancelled` if the call was cancelled before that. */
function beginOne<Result>(change: () => Promise<Result>): Promise<Result> {
  if (presentCancellation()?.aborted === true)
    throw new Failure('cancelled', { what: 'this container', why: 'the call was cancelled before it was its turn' });
  return toItsEnd(change);
}

const natural = lazily(() => new Intl.Collator('en', { numeric: true }));

/** Returns the users of the containers that match. A name without a container is kept, and fails by itself. */
async function selected(
  context: ServiceContext,
  selection: Pick<Selection, 'labels' | 'state'>,
  named: readonly Username[] | undefined,
  call: Call,
): Promise<readonly Username[]> {
  const { containers } = await listContainers(context, {}, call);
  const byUser = new Map(containers.map((container) => [container.user, container]));
  const all = named ?? [...byUser.keys()].sort(natural().compare).map(parseName);
  return all.filter((user) => {
    const container = byUser.get(user);
    return container === undefined || selects(selection, container);
  });
}

async function outcomeOf<Result>(
  user: Username,
  change: () => Promise<Result>,
  context: ServiceContext,
  { actor, signal }: Call,
): Promise<Outcome<Result>> {
  try {
    return { user, ok: true, result: await change() };
  } catch (error) {
    const failure = await failureFor(error, actor, context, signal);
    return { user, ok: false, error: { ...failure.toData(), exitCode: failure.exitCode } };
  }
}

/** Returns the call for one of several containers. Its notes name it; its steps would mix with those of the others. */
function callFor(user: Username, call: Call): Call {
  const { progress } = call;
  return {
    ...call,
    progress: {
      step: (event) => {
        if (call.isPlan === true) progress.step({ ...event, title: `${user}: ${event.title}` });
      },
      note: (text) => progress.note(`${user}: ${text}`),
      output: (text) => progress.output(text),
    },
  };
}

function onlyOne(verb: SeveralVerb, { actor: { owns = [] } }: Call): Failure {
  return new Failure('usage', {
    what: `"${verb}"`,
    why: 'it changes one container at a time here',
    next: `name one: ${owns.join(', ')}`,
  });
}
