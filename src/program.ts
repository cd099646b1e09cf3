/**
 * The command line on the host: `serve` runs the server. Everything else is a verb, which the running server answers
 * over its local socket.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithOutput } from './commandLine/closedOutput.ts';
import { Failure } from './domain/failure.ts';
import { packageRoot } from './domain/packageRoot.ts';
import { withoutEmpty } from './settings/environment.ts';

const usage = `Usage: containarium serve [--real [--zfs] | --simulated] [--config <file>] [--check-settings]
       containarium daemon [--address <address>] [--port <port>] [--mtls] [--certs-dir <folder>]
       containarium install | upgrade | recover   see the README
       containarium <verb> [arguments]        for a list of verbs: containarium help
       containarium <verb> [arguments] --server <host:port> [--certs-dir <folder>]
       containarium --version
`;

/** Runs a command line, and resolves with the exit code. Never rejects. */
export async function runProgram(words: readonly string[], variables: NodeJS.ProcessEnv): Promise<number> {
  const [first] = words;
  const env = withoutEmpty(variables);
  try {
    // Each loads what it needs: a verb is answered in half the time without the server's modules.
    if (first === 'serve') {
      const { serve } = await import('./serve/serve.ts');
      return await serve(words.slice(1), env);
    }
    if (first === 'daemon') {
      const { daemon } = await import('./serve/daemon.ts');
      return await daemon(words.slice(1), env);
    }
    if (first === 'install') {
      const { install } = await import('./install/install.ts');
      return await install(words.slice(1), env);
    }
    if (first === 'recover') {
      const { recover } = await import('./install/install.ts');
      return await recover(words.slice(1), env);
    }
    if (first === 'upgrade') {
      const { upgrade } = await import('./install/upgrade.ts');
      return await upgrade(words.slice(1));
    }
    if (first === 'completion') {
      endWithOutput();
      const { completionScript } = await import('./commandLine/completionScripts.ts');
      process.stdout.write(completionScript(words[1]));
      return 0;
    }
    if (first === '--version') {
      const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
      process.stdout.write(`${manifest.version}\n`);
      return 0;
    }
    if (first === undefined) {
      process.stderr.write(usage);
      return 2;
    }
    endWithOutput();
    const { runRemotely } = await import('./client/run.ts');
    const code = await runRemotely(words, env);
    if (code !== undefined) return code;
    const { runLocally } = await import('./client/local/local.ts');
    return await runLocally(words, env, async (home, withArchive) => {
      const { verifyJournalIn } = await import('./serve/stoppedJournal.ts');
      return verifyJournalIn(home, env, withArchive);
    });
  } catch (error) {
    const failure = Failure.from(error);
    const { failureSentences } = await import('./catalogue/output/sentences.ts');
    process.stderr.write(failureSentences(failure.toData()));
    return failure.exitCode;
  }
}
