/** Drops messages that a client must not send. */
import type { Connection } from 'ssh2';
import { internalsOf } from '../transport/internals.ts';

/**
 * Messages that only a server sends (RFC 4252): USERAUTH_FAILURE, USERAUTH_SUCCESS, USERAUTH_BANNER, and the
 * method-specific answers. When a client sends one, ssh2 removes a pending authentication from its queue, and answering
 * that authentication throws.
 */
const serverOnly = new Set([51, 52, 53, 60]);

export function dropServerOnlyMessages(connection: Connection): void {
  const protocol = internalsOf(connection)._protocol;
  const handle = protocol._onPayload;
  protocol._onPayload = (payload) => (serverOnly.has(payload[0] ?? 0) ? undefined : handle(payload));
}
