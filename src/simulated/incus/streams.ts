/** The simulated host's {@link IncusStreams}: what happens to its instances, and terminals inside them. */
import { setImmediate } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { defaultStreamLimits } from '../../host/incus/streams.ts';
import type { EventListener, HostTerminal, IncusStreams, TerminalRequest } from '../../host/incus/streams.ts';
import type { World } from '../program/answer.ts';
import type { Gate } from '../faults/gate.ts';
import type { Happenings } from '../state/lifecycleEvents.ts';
import { isShell, SimulatedTerminal } from '../inside/terminal.ts';
import { wait } from '../faults/wait.ts';

/**
 * The name of these calls in the command log and in fault plans; the arguments are `events`, or `terminal`, the
 * instance, and the program with its arguments. With `fail-after` a stream opens, and its connection is lost a moment
 * later.
 */
export const streamsProgram = 'incus-streams';

function unavailable(why: string): Failure {
  return new Failure('incus-unavailable', { what: 'Incus', why, next: 'containarium doctor' });
}

interface Opened {
  readonly changed: false;
  /** The connection is going to be lost. */
  readonly isDoomed: boolean;
}

export class SimulatedStreams implements IncusStreams {
  readonly #gate: Gate;
  readonly #happenings: Happenings;
  readonly #lateMs: number;

  /** `lateMs`: how long a stream lives whose connection is going to be lost because of a fault. */
  constructor(gate: Gate, happenings: Happenings, lateMs: number) {
    this.#gate = gate;
    this.#happenings = happenings;
    this.#lateMs = lateMs;
  }

  async #open(
    args: readonly string[],
    signal: AbortSignal | undefined,
    effect: (world: World) => void,
  ): Promise<Opened> {
    // Like a real one it never opens before the call returns.
    await setImmediate();
    let isOpen = false;
    return this.#gate.pass<Opened>({
      subject: { program: streamsProgram, args, changes: false },
      isLong: false,
      limitMs: defaultStreamLimits.openMs,
      signal,
      effect: (world) => {
        effect(world);
        isOpen = true;
        return { changed: false, isDoomed: false };
      },
      failed: () => {
        if (!isOpen) throw unavailable('its server does not answer');
        return { changed: false, isDoomed: true };
      },
      timedOut: () => unavailable(`its server did not open a stream within ${defaultStreamLimits.openMs / 1000} s`),
      cancelled: () => new Failure('cancelled', { what: 'a stream of Incus', why: 'it was cancelled' }),
    });
  }

  async events(listener: EventListener, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const end = Promise.withResolvers<undefined>();
    end.promise.catch(() => undefined);
    let isOver = false;
    const finish = (settle: () => void): void => {
      isOver = true;
      settle();
    };
    const tell = (what: () => void): void => {
      if (isOver) return;
      try {
        what();
      } catch (error) {
        finish(() => end.reject(Failure.from(error)));
      }
    };
    const abort = (): void => finish(() => end.resolve(undefined));
    signal.addEventListener('abort', abort, { once: true });
    let unfollow = (): void => undefined;
    try {
      const opening = this.#open(['events'], signal, () => {
        unfollow = this.#happenings.follow((event) => tell(() => listener.event(event)));
        tell(() => listener.opened());
      });
      const opened = await Promise.race([opening, end.promise]);
      if (opened?.isDoomed === true && (await wait(this.#lateMs, signal)) === 'passed')
        throw unavailable('its stream of events ended');
      await end.promise;
    } finally {
      isOver = true;
      unfollow();
      signal.removeEventListener('abort', abort);
    }
  }

  async terminal(request: TerminalRequest): Promise<HostTerminal> {
    const { instance, argv } = request;
    const { isDoomed } = await this.#open(['terminal', instance, ...argv], undefined, (world) =>
      mustRun(world, request),
    );
    const terminal = new SimulatedTerminal(request);
    const unfollow = this.#happenings.follow((event) => {
      if (event.instance === instance && /^instance-(stopped|shutdown|restarted|deleted)$/.test(event.action))
        terminal.kill();
    });
    const ended = terminal.exit.then(unfollow, unfollow);
    if (isDoomed)
      void Promise.race([ended, wait(this.#lateMs)]).then(() =>
        terminal.lose(unavailable('the connection to the terminal is lost')),
      );
    return terminal;
  }
}

/** Refuses what a real Incus would not start. */
function mustRun(world: World, { instance, argv }: TerminalRequest): void {
  const what = `instance ${quoted(instance)}`;
  const found = Object.hasOwn(world.state.instances, instance) ? world.state.instances[instance] : undefined;
  if (found === undefined)
    throw new Failure('not-found', { what, why: 'there is no such instance', next: 'containarium list' });
  if (found.run === null) throw new Failure('wrong-state', { what, why: 'it is not running', next: 'Start it first.' });
  world.happened('instance-exec', instance);
  const [program = ''] = argv;
  if (isShell(program)) return;
  throw new Failure('program-missing', {
    what: `program ${quoted(program)}`,
    why: `it does not exist in ${what}`,
    next: 'Name a program that the container has.',
  });
}
