/** Tells admins that their certificates end. */
import { dayMs, timeLeftInWords } from '../../domain/values/duration.ts';
import type { CertificateStore } from './certificateStore.ts';

/** Time before the end of a certificate from which its holder is told, in milliseconds. */
export const toldBeforeMs = 14 * dayMs;

/** Returns a sentence if the certificate of an admin that lasts longest ends soon; undefined if there is none. */
export function expiryNote({ issued }: Pick<CertificateStore, 'issued'>, admin: string, now: Date): string | undefined {
  const ends = issued
    .filter((record) => record.admin === admin && record.revokedAt === null)
    .map(({ notAfter }) => Date.parse(notAfter));
  const leftMs = Math.max(...ends) - now.getTime();
  if (ends.length === 0 || leftMs <= 0 || leftMs > toldBeforeMs) return undefined;
  return `Your certificate for the remote interface expires in ${timeLeftInWords(leftMs)}. An admin makes a new one: cert issue ${admin}`;
}
