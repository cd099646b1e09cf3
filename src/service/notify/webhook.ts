/** Messages to a web server, as JSON. */
import { post } from '../../host/outside/post.ts';
import type { Channel, Message } from './message.ts';

export class WebhookChannel implements Channel {
  readonly name = 'webhook';
  readonly #url: string;
  readonly #secretFile: string | undefined;

  constructor(url: string, secretFile: string | undefined) {
    this.#url = url;
    this.#secretFile = secretFile;
  }

  get to(): string {
    return new URL(this.#url).origin;
  }

  async send({ id, at, subject, text, document }: Message, signal: AbortSignal): Promise<void> {
    const path = this.#secretFile;
    await post({
      url: this.#url,
      id,
      // Chat services show "text".
      document: { id, at, subject, text: `${subject}\n${text}`, ...document },
      signal,
      ...(path === undefined ? {} : { secret: { setting: 'alerts.webhookSecretFile', path } }),
    });
  }
}
