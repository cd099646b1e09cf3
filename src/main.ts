#!/usr/bin/env node
/**
 * The command line of the product on the host itself: `serve` runs the server; everything else is a verb, answered by the running server
 * over its local socket.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './domain/failure.ts';
import { failureSentences } from './catalogue/render.ts';
import { runLocally } from './local/run.ts';
import { serve } from './local/serve.ts';
import { packageRoot } from './settings/home.ts';

const usage = `Usage: containarium serve [--real | --simulated] [--config <file>]
       containarium <verb> [arguments]        the verbs: containarium help
       containarium --version
`;

async function main(words: readonly string[]): Promise<number> {
  const [first] = words;
  if (first === 'serve') return serve(words.slice(1), process.env);
  if (first === '--version') {
    const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
    process.stdout.write(`${manifest.version}\n`);
    return 0;
  }
  if (first === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  return runLocally(words, process.env);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const failure = Failure.from(error);
  process.stderr.write(failureSentences(failure.toData()));
  process.exitCode = failure.exitCode;
}
