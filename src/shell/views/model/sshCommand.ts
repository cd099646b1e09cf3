/** One line of ssh that leads into a container, without any configuration on the client's side. */
import type { SshAccess } from '../../../domain/results/access.ts';

export type Access = Pick<SshAccess, 'user' | 'jumpHost' | 'jumpPort' | 'address'>;

/** From what `export` and `config` answer. */
export function accessOf(result: unknown): Access {
  return result as Access;
}

export function sshCommand({ user, jumpHost, jumpPort, address }: Access): string {
  const host = jumpHost.includes(':') ? `[${jumpHost}]` : jumpHost;
  return `ssh -J ${user}@${host}${jumpPort === 22 ? '' : `:${jumpPort}`} ${user}@${address}`;
}
