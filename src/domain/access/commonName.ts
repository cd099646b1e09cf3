/** The name in an X.509 certificate. */
import type { X509Certificate } from 'node:crypto';

/**
 * Returns the common name of a certificate's subject; undefined if it has none or several. Node.js prints one attribute
 * on each line and escapes control characters in it. `toLegacyObject` is not used, because after it
 * `tls.createSecureContext` is undefined if tls was not loaded before (Node.js 24.21).
 */
export function commonNameOf({ subject }: X509Certificate): string | undefined {
  const names = subject
    .split('\n')
    .filter((line) => line.startsWith('CN='))
    .map((line) => line.slice('CN='.length));
  return names.length === 1 ? names[0] : undefined;
}
