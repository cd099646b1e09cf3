/** The SSH host key of a simulated container. */
import ssh2 from 'ssh2';
import type { InstanceFiles } from '../state/state.ts';

const privatePath = '/etc/ssh/ssh_host_ed25519_key';

/**
 * Returns the public ed25519 host key of an instance, as `ssh-ed25519 AAAA…`, or undefined if sshd could not load one.
 * Derives it from the private key, as sshd does, which never reads the `.pub` file.
 */
export function hostKeyOf(files: InstanceFiles): string | undefined {
  const file = Object.hasOwn(files, privatePath) ? files[privatePath] : undefined;
  if (file === undefined) return undefined;
  // sshd refuses a private key that others may read ("UNPROTECTED PRIVATE KEY FILE", sshd(8)).
  if ((Number.parseInt(file.mode, 8) & 0o077) !== 0 || file.uid !== 0) return undefined;
  const [key] = [ssh2.utils.parseKey(file.content)].flat();
  if (key === undefined || key instanceof Error || key.type !== 'ssh-ed25519' || !key.isPrivateKey()) return undefined;
  return `ssh-ed25519 ${key.getPublicSSH().toString('base64')}`;
}
