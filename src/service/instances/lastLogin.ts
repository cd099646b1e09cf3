/** When a user last logged in to their container, according to its login records (wtmp(5)). */
import type { Username } from '../../domain/values/username.ts';
import type { Incus } from '../../host/incus/incus.ts';

/** Maximum wait for this optional fact, in milliseconds. */
const limitMs = 5000;

/** Returns an RFC 3339 time, or null if the container is stopped, lacks last(1), or has never seen a login. */
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
      maxOutputBytes: 4096,
      signal,
    });
    // The container's owner controls this output, and admins act on it: let nothing but a time through.
    const time = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d\b/.exec(stdout.split('\n')[0] ?? '')?.[0];
    const ms = Date.parse(time ?? '');
    return Number.isNaN(ms) ? null : new Date(ms).toISOString();
  } catch {
    return null;
  }
}
