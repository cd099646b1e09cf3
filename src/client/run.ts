/** Runs a command line against servers elsewhere, over the remote interface. */
import { completeCommand } from '../commandLine/completionScripts.ts';
import { ownCandidates } from './completion.ts';
import { remoteHosts, remoteWords } from './servers.ts';

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
    if (others.length === 0) return await (await import('./oneServer.ts')).runOn(only, remote.words);
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

/** Returns the words without the client's own options, as far as they can be told apart. */
function commandOf(typed: readonly string[]): readonly string[] {
  try {
    return remoteWords(typed).words;
  } catch {
    return typed;
  }
}
