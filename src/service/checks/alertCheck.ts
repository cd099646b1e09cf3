/** The check of `doctor` for alerts: whether they leave the host. */
import type { ChannelInfo } from '../../domain/results/alerts.ts';
import { plural } from '../../domain/text.ts';
import { ok, warning, type Outcome } from './outcome.ts';

export function checkAlerts(open: number, channels: readonly ChannelInfo[]): Outcome {
  const text = open === 0 ? 'none open' : `${open} open`;
  const failing = channels.filter(({ lastOutcome, dropped }) => lastOutcome === 'failed' || dropped > 0);
  if (failing.length > 0)
    return warning(
      failing
        .map(
          ({ name, queued, dropped, lastText }) =>
            `${name}: ${plural(queued, 'message')} waiting, ${dropped} given up: ${lastText ?? ''}`,
        )
        .join('; '),
      '"alert test" tries again',
    );
  if (channels.length === 0) return ok(`${text}; only shells tell them (alerts.mail and alerts.webhook are not set)`);
  return ok(`${text}; told by ${channels.map(({ name, to }) => `${name} to ${to}`).join(', ')}`);
}
