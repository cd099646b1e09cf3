/** The schema of a call's events on the wire. */
import * as z from 'zod';

export const callEvent = z.discriminatedUnion('type', [
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
