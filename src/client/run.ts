/** Runs a command line against servers elsewhere, over the remote interface. */
import { completeCommand } from '../commandLine/completionScripts.ts';
import { terminalIo } from '../commandLine/terminalIo.ts';
import { endsSoon } from '../domain/access/certificateEnd.ts';
import { readIdentity, type ClientIdentity } from './certificates.ts';
import { ownCandidates } from './completion.ts';
import { remoteHosts, remoteWords, type RemoteHost } from './servers.ts';

/**
 * Runs a command line that is for servers elsewhere. Resolves with its exit code, or with undefined if it is for the
 * server on this machine. Never rejects.
 */
export async function runRemotely(typed: readonly string[], env: NodeJS.ProcessEnv): Promise<number | undefined> {
  try {
    if (typed[0] === completeCommand) {
      const { values, only } = await ownCandidates(typed.slice(1), env);
      process.stdout.write(values.map((value) => `${value}\n`).join(''));
      if (only) return 0;
    }
    const remote = remoteWords(typed);
    const hosts = await remoteHosts(remote, env);
    if (hosts === undefined) return undefined;
    const [only, ...others] = hosts;
    if (only === undefined) return undefined;
    if (others.length === 0) return await runOn(only, remote.words);
    const { runOnSeveral } = await import('./several.ts');
    return await runOnSeveral(hosts, remote.words);
  } catch (error) {
    // A person who presses Tab has asked for no sentence.
    if (typed[0] === completeCommand) return 0;
    // Loaded only now, as everything else that most command lines do without: it takes longer than the call.
    const { failUnreached } = await import('../commandLine/unreached.ts');
    return failUnreached(error, commandOf(typed));
  }
}

async function runOn({ prefix, address, certificatesFolder }: RemoteHost, words: readonly string[]): Promise<number> {
  const identity = certificatesFolder === undefined ? undefined : await readIdentity(certificatesFolder);
  const io = terminalIo();
  const warning = identity === undefined ? undefined : expiryWarning(identity, new Date());
  if (warning !== undefined) io.stderr(`${warning}\n`);
  const [{ Channel }, { runThere }] = await Promise.all([import('./grpc/channel.ts'), import('./commandLine.ts')]);
  const channel = await Channel.open(address, identity);
  try {
    return await runThere(channel, { words, prefix, io });
  } finally {
    channel.close();
    // A question that was interrupted still waits for it.
    process.stdin.destroy();
  }
}

/** Returns a line for a certificate that ends soon. */
function expiryWarning({ name, expiresAt }: ClientIdentity, now: Date): string | undefined {
  const ends = endsSoon(expiresAt, now);
  return ends === undefined ? undefined : `Your certificate ${ends}. An admin makes a new one: "cert issue ${name}"`;
}

/** Returns the words without the client's own options, as far as they can be told apart. */
function commandOf(typed: readonly string[]): readonly string[] {
  try {
    return remoteWords(typed).words;
  } catch {
    return typed;
  }
}
