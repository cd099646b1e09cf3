/** The simulated host's {@link IncusStreams}: events of its instances, terminals in them, and their backups. */
import { PassThrough, type Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createZstdCompress } from 'node:zlib';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import { defaultStreamLimits } from '../../host/incus/streams.ts';
import type {
  EventListener,
  HostTerminal,
  IncusStreams,
  InstanceFromBackup,
  TerminalRequest,
} from '../../host/incus/streams.ts';
import { catchRefusal, refused } from '../program/answer.ts';
import type { World } from '../program/answer.ts';
import { instanceNamed } from '../program/lookup.ts';
import { archiveOf, importInstance, readArchive } from './backups.ts';
import type { Gate } from '../faults/gate.ts';
import type { LifecycleEvents } from '../state/lifecycleEvents.ts';
import { isShell, SimulatedTerminal } from '../inside/terminal.ts';
import { wait } from '../faults/wait.ts';

/**
 * Program name in the command log and in fault plans. The arguments are `events`, `terminal` followed by the instance
 * and the program with its arguments, `backup` followed by the instance and the backup, or `import` followed by the new
 * instance. With `fail-after`, a stream opens and loses its connection a moment later.
 */
const streamsProgram = 'incus-streams';

function unavailable(why: string): Failure {
  return new Failure('incus-unavailable', { what: 'Incus', why, next: 'see "doctor"' });
}

interface Opened {
  readonly changed: false;
  /** Whether the connection will be lost. */
  readonly isDoomed: boolean;
}

export class SimulatedStreams implements IncusStreams {
  readonly #gate: Gate;
  readonly #lifecycleEvents: LifecycleEvents;
  readonly #lateMs: number;

  /** `lateMs` is how long a stream lives whose connection a fault will end. */
  constructor(gate: Gate, lifecycleEvents: LifecycleEvents, lateMs: number) {
    this.#gate = gate;
    this.#lifecycleEvents = lifecycleEvents;
    this.#lateMs = lateMs;
  }

  async #open(
    args: readonly string[],
    signal: AbortSignal | undefined,
    effect: (world: World) => void,
  ): Promise<Opened> {
    // Like a real stream, it never opens before the call returns.
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
      timedOut: () =>
        unavailable(`its server did not open a stream within ${durationInWords(defaultStreamLimits.openMs)}`),
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
    const deliver = (call: () => void): void => {
      if (isOver) return;
      try {
        call();
      } catch (error) {
        finish(() => end.reject(Failure.from(error)));
      }
    };
    const abort = (): void => finish(() => end.resolve(undefined));
    signal.addEventListener('abort', abort, { once: true });
    let unfollow = (): void => undefined;
    try {
      const opening = this.#open(['events'], signal, () => {
        unfollow = this.#lifecycleEvents.follow((event) => deliver(() => listener.event(event)));
        deliver(() => listener.opened());
      });
      const opened = await Promise.race([opening, end.promise]);
      if (opened?.isDoomed === true && (await wait(this.#lateMs, signal)) === 'passed')
        throw unavailable('its event stream ended');
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
      checkStartable(world, request),
    );
    const terminal = new SimulatedTerminal(request);
    const unfollow = this.#lifecycleEvents.follow((event) => {
      if (event.instance === instance && /^instance-(stopped|shutdown|restarted|deleted)$/.test(event.action))
        terminal.kill();
    });
    const ended = terminal.exit.then(unfollow, unfollow);
    if (isDoomed)
      void Promise.race([ended, wait(this.#lateMs)]).then(() =>
        terminal.lose(unavailable('lost the connection to the terminal')),
      );
    return terminal;
  }

  async readBackup(instance: string, backup: string): Promise<Readable> {
    const found: { archive?: Readable } = {};
    const { isDoomed } = await this.#open(['backup', instance, backup], undefined, (world) => {
      const record = Object.hasOwn(world.state.instances, instance)
        ? instanceNamed(world, instance).backups.find(({ name }) => name === backup)
        : undefined;
      if (record === undefined)
        throw new Failure('not-found', {
          what: `the export of ${quoted(instance)}`,
          why: 'Instance backup not found',
        });
      found.archive = archiveOf(structuredClone(record)).pipe(createZstdCompress());
    });
    const out = new PassThrough();
    if (isDoomed) {
      out.write(Buffer.alloc(512));
      void wait(this.#lateMs).then(() => out.destroy(unavailable('the connection was lost')));
      return out;
    }
    found.archive?.on('error', (error) => out.destroy(error)).pipe(out);
    return out;
  }

  async createFromBackup({ name, source, timeoutMs }: InstanceFromBackup): Promise<void> {
    const input = JSON.stringify(await readArchive(source));
    const what = `instance ${quoted(name)}`;
    const answer = await this.#gate.pass({
      subject: { program: streamsProgram, args: ['import', name], changes: true },
      isLong: true,
      limitMs: timeoutMs,
      background: {
        program: 'incus',
        args: ['import', '-', name],
        input,
        description: 'Restoring backup',
        instance: name,
      },
      effect: (world) => catchRefusal(() => importInstance(world, name, input)),
      failed: (how, message = 'simulated fault') => {
        if (how === 'down') throw unavailable('its server does not answer');
        return refused(1, message);
      },
      timedOut: () => new Failure('timeout', { what, why: 'Incus did not answer in time' }),
      cancelled: () => new Failure('cancelled', { what, why: 'it was cancelled' }),
    });
    const why = answer.stderr.trim().replace(/^Error: /, '');
    if (answer.exitCode !== 0) throw new Failure('program-failed', { what, why, details: { stderr: why } });
  }

  /** Its disk is not simulated. */
  freeForBackups(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

/** Refuses a program that a real Incus would not start. */
function checkStartable(world: World, { instance, argv }: TerminalRequest): void {
  const what = `instance ${quoted(instance)}`;
  const found = Object.hasOwn(world.state.instances, instance) ? world.state.instances[instance] : undefined;
  if (found === undefined) throw new Failure('not-found', { what, why: 'no such instance', next: 'see "list"' });
  if (found.run === null) throw new Failure('wrong-state', { what, why: 'it is not running', next: 'start it first' });
  if (found.run.isPaused === true)
    throw new Failure('wrong-state', { what, why: 'it is frozen', next: 'start it first' });
  world.emit('instance-exec', instance);
  const [program = ''] = argv;
  if (isShell(program)) return;
  throw new Failure('program-missing', {
    what: `program ${quoted(program)}`,
    why: `it does not exist in ${what}`,
    next: 'name a program that is installed in the container',
  });
}
