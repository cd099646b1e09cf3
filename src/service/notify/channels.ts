/** The channels that the settings name. */
import type { Runner } from '../../host/runner.ts';
import type { Settings } from '../../settings/settings.ts';
import { MailChannel } from './mail.ts';
import type { Channel } from './message.ts';
import { WebhookChannel } from './webhook.ts';

export function openChannels({ alerts }: Pick<Settings, 'alerts'>, runner: Runner): Channel[] {
  const { mail, mailFrom, webhook, webhookSecretFile } = alerts;
  return [
    ...(mail.length === 0 ? [] : [new MailChannel(runner, { to: mail, from: mailFrom })]),
    ...(webhook === undefined ? [] : [new WebhookChannel(webhook, webhookSecretFile)]),
  ];
}
