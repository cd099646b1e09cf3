/** The host key that a simulated container's sshd has: what is in its `/etc/ssh`. */
import ssh2 from 'ssh2';
import type { InstanceFiles } from '../state/state.ts';

const privatePath = '/etc/ssh/ssh_host_ed25519_key';

/**
 * The public key of the ed25519 host key among an instance's files, as `ssh-ed25519 AAAA…`. It is derived from the
 * private one, as sshd does; the `.pub` file beside it is a convenience that sshd never reads. `undefined` without a
 * key that sshd could load.
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
