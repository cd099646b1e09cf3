/** An Incus whose answers and events a test controls. */
import type { Failure } from '../../src/domain/failure.ts';
import type { IncusInstance } from '../../src/host/incus/documents.ts';
import type { LifecycleSource, MirrorOptions } from '../../src/host/mirror/mirror.ts';

export function instanceOwnedBy(user: string, status = 'Running', cpuNs = 0): IncusInstance {
  return {
    name: `${user}-container`,
    type: 'container',
    status,
    created_at: '',
    last_used_at: '',
    location: 'none',
    config: { 'user.containarium.owner': user },
    devices: {},
    state: { status, cpu: { usage: cpuNs }, memory: { usage: 100, total: 200 } },
  };
}

export class InstanceSource implements LifecycleSource {
  instances: IncusInstance[] = [];
  memory: ReadonlyMap<string, number> = new Map();
  failure: Failure | undefined;
  memoryFailure: Failure | undefined;
  /** What an answer waits for after it was made. */
  delay: Promise<unknown> = Promise.resolve();
  /** What opening the event stream waits for. */
  opening: Promise<unknown> = Promise.resolve();
  listener: Parameters<LifecycleSource['events']>[0] | undefined;
  endStream: ((error?: Failure) => void) | undefined;
  ownChange: (names: readonly string[]) => void = () => undefined;
  /** The questions, in their order: `all`, `stored`, `memory`, or the name of an instance. */
  readonly asked: string[] = [];

  readonly incus: MirrorOptions['incus'] = {
    instances: () => this.#answer('stored', () => this.instances),
    instancesWithState: () => this.#answer('all', () => this.instances),
    instance: (name) => this.#answer(name, () => this.instances.find((each) => each.name === name)),
    memoryInUse: async () => {
      if (this.memoryFailure !== undefined) throw this.memoryFailure;
      return this.#answer('memory', () => this.memory);
    },
    onChange: (listener) => (this.ownChange = listener),
  };

  async #answer<T>(question: string, answer: () => T): Promise<T> {
    this.asked.push(question);
    if (this.failure !== undefined) throw this.failure;
    const found = answer();
    await this.delay;
    return found;
  }

  times(question: string): number {
    return this.asked.filter((each) => each === question).length;
  }

  event(action: string, user: string): void {
    this.listener?.event({ action, instance: `${user}-container` });
  }

  async events(listener: Parameters<LifecycleSource['events']>[0], signal: AbortSignal): Promise<void> {
    await this.opening;
    if (this.failure !== undefined) throw this.failure;
    this.listener = listener;
    listener.opened();
    return new Promise((resolve, reject) => {
      this.endStream = (error) => (error === undefined ? resolve() : reject(error));
      signal.addEventListener('abort', () => resolve());
    });
  }
}
