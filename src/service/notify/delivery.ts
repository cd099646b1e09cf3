/**
 * Brings messages out of the host. Each channel has a queue of its own, which a restart does not lose. A channel that
 * does not work delays neither core nor the other channel: its messages wait, and the oldest are given up.
 */
import type { Logger } from 'pino';
import * as z from 'zod';
import type { AlertTest, ChannelInfo } from '../../domain/results/alerts.ts';
import { Failure } from '../../domain/failure.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { dayMs } from '../../domain/values/duration.ts';
import type { Channel, Message } from './message.ts';

const message = z.object({
  id: z.string(),
  at: z.string(),
  subject: z.string(),
  text: z.string(),
  document: z.custom<JsonObject>((value) => isJsonObject(value)),
});

const queue = z.object({
  waiting: z.array(message),
  dropped: z.number(),
  last: z.object({ at: z.string(), outcome: z.enum(['ok', 'failed']), text: z.string() }).nullable(),
});

/** What waits, by the name of the channel. */
export const queues = z.object({ mail: queue.optional(), webhook: queue.optional() });
export type Queues = z.output<typeof queues>;
type Queue = z.output<typeof queue>;

/** The state file in which the queues are. */
export interface QueueStore {
  readonly data: { readonly queues: Queues };
  update(change: (data: { queues: Queues }) => unknown): Promise<void>;
}

export interface DeliveryOptions {
  readonly channels: readonly Channel[];
  readonly store: QueueStore;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Number of messages that wait for a channel at most. */
const maxWaiting = 100;
/** Age from which a message is of no use any more, in milliseconds. */
const staleMs = 3 * dayMs;

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  get channels(): ChannelInfo[] {
    return this.#options.channels.map(({ name, to }) => {
      const { waiting, dropped, last } = queueOf(this.#options.store.data.queues, name);
      return {
        name,
        to,
        queued: waiting.length,
        dropped,
        lastAt: last?.at ?? null,
        lastOutcome: last?.outcome ?? null,
        lastText: last?.text ?? null,
      };
    });
  }

  /** Adds a message to the queues of a state that is about to be written. {@link kick} then sends it. */
  enqueue(state: Queues, added: Message): void {
    for (const { name } of this.#options.channels) {
      const { waiting, dropped, last } = queueOf(state, name);
      const all = [...waiting, { ...added }];
      const kept = all.slice(-maxWaiting);
      state[name] = { waiting: kept, dropped: dropped + all.length - kept.length, last };
    }
  }

  /** Sends what waits, in the background. */
  kick(): void {
    for (const channel of this.#options.channels) {
      if (this.#running.has(channel.name) || this.#stop.signal.aborted) continue;
      const run = this.#drain(channel)
        .catch((error: unknown) => this.#options.log.error({ why: Failure.from(error).message }, 'delivery failed'))
        .finally(() => this.#running.delete(channel.name));
      this.#running.set(channel.name, run);
    }
  }

  /** Sends a message to every channel at once, past the queues. Never rejects. */
  async test(sent: Message, signal: AbortSignal): Promise<AlertTest> {
    const ended = AbortSignal.any([signal, this.#stop.signal]);
    const channels = await Promise.all(
      this.#options.channels.map(async (channel) => {
        const result = await this.#attempt(channel, sent, ended);
        return { name: channel.name, to: channel.to, ...result };
      }),
    );
    return { channels };
  }

  /** Resolves when everything that was being sent is sent or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /** Cuts what is being sent, which stays in the queue. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.settled();
  }

  /** Sends the messages of a channel, the oldest first, until one fails. */
  async #drain(channel: Channel): Promise<void> {
    const { store, now } = this.#options;
    for (;;) {
      const { waiting } = queueOf(store.data.queues, channel.name);
      const stale = waiting.filter(({ at }) => now().getTime() - Date.parse(at) > staleMs);
      if (stale.length > 0)
        await this.#change(channel, (known) => ({
          ...known,
          waiting: known.waiting.filter(({ id }) => !stale.some((one) => one.id === id)),
          dropped: known.dropped + stale.length,
        }));
      const [next] = waiting.filter((one) => !stale.includes(one));
      if (next === undefined) return;
      const { outcome, text } = await this.#attempt(channel, next, this.#stop.signal);
      if (this.#stop.signal.aborted && outcome === 'failed') return;
      const last = { at: now().toISOString(), outcome, text };
      await this.#change(channel, (known) =>
        outcome === 'ok'
          ? { waiting: known.waiting.filter(({ id }) => id !== next.id), dropped: 0, last }
          : { ...known, last },
      );
      if (outcome === 'failed') return;
    }
  }

  async #attempt(
    channel: Channel,
    sent: Message,
    signal: AbortSignal,
  ): Promise<{ readonly outcome: 'ok' | 'failed'; readonly text: string }> {
    try {
      await channel.send(sent, signal);
      return { outcome: 'ok', text: 'sent' };
    } catch (error) {
      const { what, why } = Failure.from(error);
      this.#options.log.warn({ channel: channel.name, what, why }, 'a message could not be sent');
      return { outcome: 'failed', text: `${what}: ${why}` };
    }
  }

  async #change({ name }: Channel, change: (known: Queue) => Queue): Promise<void> {
    const { store, log } = this.#options;
    const written = store.update((state) => {
      state.queues[name] = change(queueOf(state.queues, name));
    });
    // Memory has the change. After a restart a message may be sent once more.
    await written.catch((error: unknown) =>
      log.warn({ why: Failure.from(error).message }, 'the queue of messages could not be saved'),
    );
  }
}

function queueOf(state: Queues, name: Channel['name']): Queue {
  return state[name] ?? { waiting: [], dropped: 0, last: null };
}
