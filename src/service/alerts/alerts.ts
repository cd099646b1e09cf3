/** The alerts of this host: which are open, and who is told. */
import { Low, Memory } from 'lowdb';
import * as z from 'zod';
import type { AlertInfo } from '../../domain/results/alerts.ts';
import type { JsonObject } from '../../domain/json.ts';
import { Failure } from '../../domain/failure.ts';
import { plural } from '../../domain/text.ts';
import { openState } from '../../journal/jsonState.ts';
import { queues, type Delivery } from '../notify/delivery.ts';
import { makeMessage, type Message } from '../notify/message.ts';
import { advance, alertState, infoOf, type Look } from './advance.ts';

/** One file has the alerts and the messages about them, so that no crash parts them. */
const schema = z.object({ alerts: alertState, queues });
export type AlertStore = Low<z.output<typeof schema>>;

type State = z.output<typeof schema>;

/**
 * Opens the state file. An unreadable file is left alone and reported to `onTrouble`; what is open is then told again,
 * and remembered only as long as this process lasts.
 */
export async function openAlertStore(path: string, onTrouble: (failure: Failure) => void): Promise<AlertStore> {
  const initial: State = { alerts: { open: [], over: [] }, queues: {} };
  try {
    return await openState(path, schema, initial);
  } catch (error) {
    onTrouble(Failure.from(error));
    return new Low<State>(new Memory<State>(), initial);
  }
}

export interface AlertsOptions {
  readonly store: AlertStore;
  readonly delivery: Delivery;
  /** Appends to the journal. */
  readonly append: (entry: { readonly type: string } & JsonObject) => Promise<unknown>;
  /** Tells every admin who has a shell open. */
  readonly announce: (text: string) => void;
  /** The name of this host, for those who have several. */
  readonly host: string;
  readonly now: () => Date;
}

/** What the schedule already tells the room by itself. */
const toldElsewhere = ['job', 'clock'];
/** A longer list is not read. */
const maxListed = 50;

export class Alerts {
  readonly #options: AlertsOptions;

  constructor(options: AlertsOptions) {
    this.#options = options;
  }

  /** The name of this host. */
  get host(): string {
    return this.#options.host;
  }

  get delivery(): Delivery {
    return this.#options.delivery;
  }

  /** The alerts that were told and last. */
  get open(): AlertInfo[] {
    return this.#options.store.data.alerts.open.filter(({ isTold }) => isTold).map(infoOf);
  }

  /**
   * Takes a round of looks: records and tells what has begun and what is over. Rejects if the state cannot be written,
   * after all were told.
   */
  async take(looks: readonly Look[]): Promise<{ readonly begun: number; readonly over: number }> {
    const { store, delivery, append, announce, now } = this.#options;
    const { state, begun, over } = advance(store.data.alerts, looks, now());
    // A crash between the two records an alert twice, but loses none.
    for (const alert of begun) await append(recordOf(alert, 'begun')).catch(() => undefined);
    for (const alert of over) await append(recordOf(alert, 'over')).catch(() => undefined);
    const written = store.update((data) => {
      data.alerts = state;
      if (begun.length + over.length > 0) delivery.enqueue(data.queues, this.#message(begun, over));
    });
    // A full disk must not keep the alert about it from being told: memory has it all the same.
    const failure = await written.catch((error: unknown) => Failure.from(error));
    for (const { code, text } of begun) if (!toldElsewhere.includes(code)) announce(`Alert: ${text}`);
    for (const { text } of over) announce(`Over: ${text}`);
    delivery.kick();
    if (failure instanceof Failure) throw failure;
    return { begun: begun.length, over: over.length };
  }

  /** Sends a message through all channels, in the background. */
  async send(subject: string, text: string, document: JsonObject): Promise<void> {
    const { store, delivery } = this.#options;
    await store.update((data) => delivery.enqueue(data.queues, this.message(subject, text, document)));
    delivery.kick();
  }

  /** Makes a message that names this host. */
  message(subject: string, text: string, document: JsonObject): Message {
    const { host, now } = this.#options;
    return makeMessage(now(), `${host}: ${subject}`, text, { host, ...document });
  }

  #message(begun: readonly AlertInfo[], over: readonly AlertInfo[]): Message {
    const [first] = [...begun, ...over];
    const counts = [
      ...(begun.length === 0 ? [] : [plural(begun.length, 'alert')]),
      ...(over.length === 0 ? [] : [`${over.length} over`]),
    ].join(', ');
    const subject =
      begun.length + over.length === 1 ? `${begun.length === 1 ? 'alert' : 'over'}: ${first?.text ?? ''}` : counts;
    const text = [
      ...part('Begun:', begun, ({ severity, text: what, next }) => [
        `- ${what} (${severity})`,
        ...(next === null ? [] : [`  Next: ${next}`]),
      ]),
      ...part('Over:', over, ({ text: what, since }) => [`- ${what} (since ${since})`]),
      '"alert list" shows what is open.',
    ].join('\n');
    const listed = (alerts: readonly AlertInfo[]): JsonObject[] =>
      alerts.slice(0, maxListed).map((one) => ({ ...one }));
    return this.message(subject, text, { type: 'alerts', begun: listed(begun), over: listed(over) });
  }
}

function part(title: string, alerts: readonly AlertInfo[], lines: (alert: AlertInfo) => string[]): string[] {
  if (alerts.length === 0) return [];
  const more = alerts.length - maxListed;
  return [title, ...alerts.slice(0, maxListed).flatMap(lines), ...(more > 0 ? [`- and ${more} more`] : []), ''];
}

function recordOf(
  { code, subject, severity, text, since }: AlertInfo,
  outcome: 'begun' | 'over',
): { type: string } & JsonObject {
  return { type: 'alert', target: subject, kind: code, outcome, severity, text, since };
}
