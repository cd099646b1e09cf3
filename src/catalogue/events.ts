/** Events of a running verb, checked: they come over the protocol. */
import { z } from 'zod';
import type { VerbEvent } from './verb.ts';

const schema = z.discriminatedUnion('type', [
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
  z.object({ type: z.literal('output'), text: z.string() }),
]);

/** The event, or nothing where it is none of this version. */
export function verbEvent(raw: unknown): VerbEvent | undefined {
  const parsed = schema.safeParse(raw);
  return parsed.success ? parsed.data : undefined;
}
