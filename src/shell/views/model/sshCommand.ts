import type { SshAccess } from '../../../domain/results/access.ts';

export type Access = Pick<SshAccess, 'user' | 'jumpHost' | 'jumpPort' | 'address'>;

/** Takes the access data from the result of `export` or `config`. */
export function accessOf(result: unknown): Access {
  return result as Access;
}

/** Returns an ssh command that reaches a container without any configuration on the client. */
export function sshCommand({ user, jumpHost, jumpPort, address }: Access): string {
  const host = jumpHost.includes(':') ? `[${jumpHost}]` : jumpHost;
  return `ssh -J ${user}@${host}${jumpPort === 22 ? '' : `:${jumpPort}`} ${user}@${address}`;
}
