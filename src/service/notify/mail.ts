/** Messages by mail, through the mail server of this host. */
import { hostname } from 'node:os';
import { sendmail } from '../../host/outside/sendmail.ts';
import type { Runner } from '../../host/runner.ts';
import type { Channel, Message } from './message.ts';

export interface MailAddresses {
  readonly to: readonly string[];
  readonly from: string | undefined;
}

export class MailChannel implements Channel {
  readonly name = 'mail';
  readonly #runner: Runner;
  readonly #addresses: MailAddresses;

  constructor(runner: Runner, addresses: MailAddresses) {
    this.#runner = runner;
    this.#addresses = addresses;
  }

  get to(): string {
    return this.#addresses.to.join(', ');
  }

  async send(message: Message, signal: AbortSignal): Promise<void> {
    await sendmail(this.#runner, await mailOf(message, this.#addresses), signal);
  }
}

/**
 * Returns a message as a mail (RFC 5322, MIME) in ASCII. nodemailer encodes the subject and the text, so that nothing
 * in them can become a header or another part. The addresses come from the configuration, which allows only plain ones.
 */
export async function mailOf(
  { id, at, subject, text }: Message,
  { to, from = `containarium@${hostname()}` }: MailAddresses,
): Promise<string> {
  // Most servers send no mail, so they do not load it.
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const composer = new MailComposer({
    from: { name: 'Containarium', address: from },
    to: [...to],
    subject,
    text,
    date: new Date(at),
    messageId: `<${id.toLowerCase()}@${hostname()}>`,
    // Automatic answers, such as those of people on holiday, stay away (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return (await composer.compile().build()).toString('latin1');
}
