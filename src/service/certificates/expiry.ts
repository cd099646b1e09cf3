/** Tells admins in their shells that their certificates end. */
import { endsSoon } from '../../domain/access/certificateEnd.ts';
import type { CertificateStore } from './certificateStore.ts';

/** Returns when the certificate of each admin that lasts longest ends. Revoked ones do not count. */
export function lastOfAdmins({
  issued,
}: Pick<CertificateStore, 'issued'>): { readonly admin: string; readonly endsAt: Date }[] {
  const last = new Map<string, string>();
  for (const { admin, notAfter, revokedAt } of issued)
    if (revokedAt === null && notAfter > (last.get(admin) ?? '')) last.set(admin, notAfter);
  return [...last].map(([admin, notAfter]) => ({ admin, endsAt: new Date(notAfter) }));
}

/** Returns a sentence if the certificate of an admin that lasts longest ends soon; undefined if there is none. */
export function expiryNote(
  certificates: Pick<CertificateStore, 'issued'>,
  admin: string,
  now: Date,
): string | undefined {
  const last = lastOfAdmins(certificates).find((one) => one.admin === admin)?.endsAt;
  // Who has let it expire no longer uses it.
  if (last === undefined || last <= now) return undefined;
  const ends = endsSoon(last, now);
  return ends === undefined
    ? undefined
    : `Your certificate for the remote interface ${ends}. An admin makes a new one: cert issue ${admin}`;
}
