/** The entry of the client alone, which `npm run release:client` makes into one file (docs/remote.md). */
import { endWithOutput } from '../commandLine/closedOutput.ts';
import { completionScript } from '../commandLine/completionScripts.ts';
import { Failure } from '../domain/failure.ts';
import { runRemotely } from './run.ts';

const usage = `Usage: containarium <verb> [arguments] --server <host:port> [--certs-dir <folder>]
       containarium <verb> [arguments] --on <name>      servers of ~/.config/containarium/config.yaml
       containarium completion bash|zsh|fish
       containarium --version
`;

/** Replaced by the version when the file is made. */
declare const CLIENT_VERSION: string;

async function main([first, ...rest]: readonly string[]): Promise<number> {
  if (first === '--version') {
    process.stdout.write(`${CLIENT_VERSION}\n`);
    return 0;
  }
  if (first === 'completion') {
    process.stdout.write(completionScript(rest[0]));
    return 0;
  }
  if (first === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  if (first === '--help' || first === '-h') {
    process.stdout.write(usage);
    return 0;
  }
  const code = await runRemotely([first, ...rest], process.env);
  if (code !== undefined) return code;
  throw new Failure('usage', {
    what: `"${first}"`,
    why: 'no server is named',
    next: 'add --server HOST:50051, or --on NAME for a server of ~/.config/containarium/config.yaml',
  });
}

endWithOutput();
const words = process.argv.slice(2);
void main(words)
  .catch(async (error: unknown) => {
    const { failUnreached } = await import('../commandLine/unreached.ts');
    return failUnreached(error, words);
  })
  .then((code) => (process.exitCode = code));
