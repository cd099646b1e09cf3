/** The progress of a running verb as lines on standard error. */
import { printableLines } from '../domain/text.ts';
import { z } from 'zod';

const event = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('step'),
    index: z.number(),
    total: z.number(),
    title: z.string(),
    state: z.enum(['begun', 'done', 'failed']),
    elapsedMs: z.number(),
    detail: z.string().optional(),
  }),
  z.object({ type: z.literal('note'), text: z.string() }),
]);

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;
}

/** One event as text to print. On a terminal a step shows when it begins and is overwritten when it ends; elsewhere only its end is told. */
export function progressText(raw: unknown, terminal: boolean): string {
  const parsed = event.safeParse(raw);
  if (!parsed.success) return '';
  const what = parsed.data;
  if (what.type === 'note') return `${printableLines(what.text)}\n`;
  const label = `[${what.index}/${what.total}] ${printableLines(what.title)}…`;
  if (what.state === 'begun') return terminal ? `  ${label}` : '';
  const mark = what.state === 'done' ? '✓' : '✗';
  const line = `${terminal ? '\r' : ''}${mark} ${label} (${seconds(what.elapsedMs)})\n`;
  return what.detail === undefined ? line : `${line}    ${printableLines(what.detail)}\n`;
}
