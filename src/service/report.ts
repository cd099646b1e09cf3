/** `report`. */
import type { Report } from '../domain/results/report.ts';
import { parseWhen } from '../domain/values/time.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';
import { makeReport } from './report/report.ts';

/** What the report is about without `since`. */
const defaultSince = '1d';

/** Rejects with `invalid-time`. */
export function report(
  context: ServiceContext,
  { since = defaultSince }: { readonly since?: string | undefined },
  { signal }: Call,
): Promise<Report> {
  return makeReport(context, parseWhen(since, context.now()), signal);
}
