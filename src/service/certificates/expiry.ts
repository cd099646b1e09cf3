/** Tells admins in their shells that their certificates end. */
import { endsSoon } from '../../domain/access/certificateEnd.ts';
import type { CertificateStore } from './certificateStore.ts';

/** Returns a sentence if the certificate of an admin that lasts longest ends soon; undefined if there is none. */
export function expiryNote({ issued }: Pick<CertificateStore, 'issued'>, admin: string, now: Date): string | undefined {
  const last = issued
    .filter((record) => record.admin === admin && record.revokedAt === null)
    .map(({ notAfter }) => notAfter)
    .sort()
    .at(-1);
  // Who has let it expire no longer uses it.
  if (last === undefined || new Date(last) <= now) return undefined;
  const ends = endsSoon(new Date(last), now);
  return ends === undefined
    ? undefined
    : `Your certificate for the remote interface ${ends}. An admin makes a new one: cert issue ${admin}`;
}
