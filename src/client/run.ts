/** Runs a command line against servers elsewhere, over the remote interface. */
import { runCommand } from '../commandLine/run.ts';
import { failUnreached } from '../commandLine/unreached.ts';
import { terminalIo } from '../commandLine/terminalIo.ts';
import { endsSoon } from '../domain/access/certificateEnd.ts';
import { readIdentity, type ClientIdentity } from './certificates.ts';
import { remoteHosts, remoteWords, type RemoteHost } from './servers.ts';

/**
 * Runs a command line that is for servers elsewhere. Resolves with its exit code, or with undefined if it is for the
 * server on this machine. Never rejects.
 */
export async function runRemotely(typed: readonly string[], env: NodeJS.ProcessEnv): Promise<number | undefined> {
  try {
    const remote = remoteWords(typed);
    const hosts = await remoteHosts(remote, env);
    if (hosts === undefined) return undefined;
    const [only, ...others] = hosts;
    if (only === undefined) return undefined;
    if (others.length === 0) return await runOn(only, remote.words);
    const { runOnSeveral } = await import('./several.ts');
    return await runOnSeveral(hosts, remote.words);
  } catch (error) {
    return failUnreached(error, typed);
  }
}

async function runOn({ name, address, certificatesFolder }: RemoteHost, words: readonly string[]): Promise<number> {
  const identity = await readIdentity(certificatesFolder);
  const io = terminalIo();
  // Loaded only now: a command line for the server on this machine comes through here too.
  const { remoteCore } = await import('./remoteCore.ts');
  const core = remoteCore(address, identity);
  // An address in place of a name cannot be sent in the handshake (RFC 6066), of which Node.js would warn each time.
  process.noDeprecation = true;
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.on('SIGINT', interrupt);
  try {
    const warning = expiryWarning(identity, new Date());
    if (warning !== undefined) io.stderr(`${warning}\n`);
    return await runCommand({
      words,
      // The server decides by the certificate; this only lets the parser take every verb.
      actor: { name: identity.name, role: 'admin', entryPoint: 'remote' },
      core,
      io,
      signal: interrupted.signal,
      prefix: `containarium --server ${name}`,
      isFirst: true,
      candidates: core.candidates,
    });
  } finally {
    process.off('SIGINT', interrupt);
    core.close();
  }
}

/** Returns a line for a certificate that ends soon. */
function expiryWarning({ name, expiresAt }: ClientIdentity, now: Date): string | undefined {
  const ends = endsSoon(expiresAt, now);
  return ends === undefined ? undefined : `Your certificate ${ends}. An admin makes a new one: cert issue ${name}`;
}
