/** When a user last logged in to their container, as its own login records (wtmp(5)) say. */
import type { Username } from '../../domain/values/username.ts';
import type { Incus } from '../../host/incus/incus.ts';

/** Nobody waits longer than this for a fact that is only good to know, in milliseconds. */
const limitMs = 5000;

/**
 * RFC 3339, or null where it is not known: a container that does not run, one without last(1), nobody who ever logged
 * in.
 */
export async function lastLogin(
  incus: Pick<Incus, 'exec'>,
  instance: { readonly name: string; readonly status: string },
  user: Username,
  signal: AbortSignal,
): Promise<string | null> {
  if (instance.status.toLowerCase() !== 'running') return null;
  try {
    const { stdout } = await incus.exec(instance.name, ['last', '--time-format', 'iso', '-n', '1', user], {
      timeoutMs: limitMs,
      signal,
    });
    // What a container says of itself is shown to people who decide by it: only a time gets through.
    const time = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d\b/.exec(stdout.split('\n')[0] ?? '')?.[0];
    const ms = Date.parse(time ?? '');
    return Number.isNaN(ms) ? null : new Date(ms).toISOString();
  } catch {
    return null;
  }
}
