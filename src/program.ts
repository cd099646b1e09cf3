/**
 * The command line of the product on the host itself: `serve` runs the server; everything else is a verb, answered by
 * the running server over its local socket.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureSentences } from './catalogue/render.ts';
import { Failure } from './domain/failure.ts';
import { packageRoot } from './settings/home.ts';
import { runLocally } from './commandLine/local.ts';
import { serve } from './serve/serve.ts';

const usage = `Usage: containarium serve [--real | --simulated] [--config <file>]
       containarium <verb> [arguments]        the verbs: containarium help
       containarium --version
`;

/** Runs a command line of the host; resolves with the exit code, and never rejects. */
export async function runProgram(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first] = words;
  try {
    if (first === 'serve') return await serve(words.slice(1), env);
    if (first === '--version') {
      const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
      process.stdout.write(`${manifest.version}\n`);
      return 0;
    }
    if (first === undefined) {
      process.stderr.write(usage);
      return 2;
    }
    return await runLocally(words, env);
  } catch (error) {
    const failure = Failure.from(error);
    process.stderr.write(failureSentences(failure.toData()));
    return failure.exitCode;
  }
}
