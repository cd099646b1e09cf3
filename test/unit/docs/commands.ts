/**
 * Checks command lines in documents with the product's own parser: split as by the reader's shell, sent as by ssh, and
 * parsed as by the server.
 */
import { parse } from 'shell-quote';
import { stdinFor } from '../../support/stdin.ts';
import { mayUse } from '../../../src/catalogue/catalogue.ts';
import { parseCommandLine } from '../../../src/catalogue/parse.ts';
import { checkInput } from '../../../src/catalogue/declaration/schema.ts';
import { splitLine } from '../../../src/catalogue/tokens.ts';
import type { Actor } from '../../../src/domain/access/actor.ts';
import { remoteWords } from '../../../src/client/servers.ts';
import { completionScript } from '../../../src/commandLine/completionScripts.ts';
import { readInstallArguments, readRecoverArguments, readUpgradeArguments } from '../../../src/install/arguments.ts';
import { readDaemonArguments } from '../../../src/serve/daemon.ts';
import { readArguments } from '../../../src/serve/serve.ts';

const sampleKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y alice@laptop';

const actors = {
  manage: { entryPoint: 'manage', role: 'admin' },
  self: { entryPoint: 'self', role: 'owner' },
  local: { entryPoint: 'local', role: 'root' },
  remote: { entryPoint: 'remote', role: 'admin' },
} as const satisfies Record<string, Pick<Actor, 'entryPoint' | 'role'>>;

export interface Wrong {
  readonly command: string;
  readonly why: string;
}

/** Returns the errors in our commands in `text`, one line of shell. It ignores commands of other programs. */
export function wrongCommands(text: string, scripts: ReadonlySet<string>): Wrong[] {
  const wrong: Wrong[] = [];
  const concrete = text
    .replace(/^[$#] /, '')
    .replace(/\$\([^)]*\)/g, sampleKey)
    .replace(/\$\{?\w+\}?/g, 'alice');
  // Placeholders: <user> becomes a word; [options] and … disappear.
  const filled = concrete.replace(/<[a-z][^<>]*?>/g, 'alice').replace(/\[[^\]]*\]|…/g, ' ');
  for (const words of commandsOf(filled)) {
    try {
      check(words, scripts, filled === concrete);
    } catch (error) {
      wrong.push({ command: text, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return wrong;
}

/** Returns the commands in a line of shell, without redirections, assignments, sudo and loop keywords. */
function commandsOf(line: string): string[][] {
  const commands: string[][] = [[]];
  let skip = false;
  for (const word of parse(line, (name) => `$${name}`)) {
    if (typeof word === 'object' && 'comment' in word) break;
    if (typeof word === 'object' && !('pattern' in word)) {
      if (/^[<>]/.test(word.op)) skip = true;
      else commands.push([]);
      continue;
    }
    if (!skip) commands.at(-1)?.push(typeof word === 'string' ? word : word.pattern);
    skip = false;
  }
  return commands.map(bare).filter((words) => words.length > 0);
}

function bare(words: readonly string[]): string[] {
  const start = words.findIndex((word) => !/^(sudo|-.*|do|then|time|npx|\w+=.*)$/.test(word));
  return start < 0 ? [] : words.slice(start);
}

function check(words: readonly string[], scripts: ReadonlySet<string>, exact: boolean): void {
  const [program = '', ...args] = words;
  switch (program) {
    case 'ssh': {
      const at = args.findIndex((word) => /^(manage|self)@/.test(word));
      if (at < 0) return;
      const entryPoint = args[at]?.startsWith('self@') === true ? 'self' : 'manage';
      // ssh(1) joins its arguments with spaces. Without any it opens a shell.
      const line = args
        .slice(at + 1)
        .join(' ')
        .trim();
      // `plain` selects the line mode of the shell and is not a verb.
      if (line !== '' && line !== 'plain') checkVerb(splitLine(line), actors[entryPoint], exact);
      return;
    }
    case 'containarium':
      if (args.length === 0 || args[0] === '--version') return;
      if (args[0] === 'serve') readArguments(args.slice(1));
      else if (args[0] === 'daemon') readDaemonArguments(args.slice(1));
      else if (args[0] === 'install') readInstallArguments(args.slice(1));
      else if (args[0] === 'recover') readRecoverArguments(args.slice(1));
      else if (args[0] === 'upgrade') readUpgradeArguments(args.slice(1));
      else if (args[0] === 'completion') completionScript(args[1]);
      else {
        const { words: verb, server, on } = remoteWords(args);
        checkVerb(verb, server === undefined && on === undefined ? actors.local : actors.remote, exact);
      }
      return;
    case './install.sh':
      readInstallArguments(args);
      return;
    case 'npm':
      npm(args, scripts, exact);
      return;
    case 'node':
      if (args[0] === 'dist/main.js') check(['containarium', ...args.slice(1)], scripts, exact);
  }
}

function npm(args: readonly string[], scripts: ReadonlySet<string>, exact: boolean): void {
  const plain = args.filter((word, i) => !word.startsWith('-') || args.indexOf('--') < i);
  const [verb = '', ...rest] = plain.filter((word) => word !== '--');
  const script = verb === 'run' ? rest[0] : verb === 'start' || verb === 'test' || verb === 't' ? verb : undefined;
  if (script === undefined) return;
  if (!scripts.has(script)) throw new Error(`package.json has no script "${script}"`);
  const passed = args.includes('--') ? args.slice(args.indexOf('--') + 1) : [];
  if (script === 'start') readArguments(passed);
  if (script === 'containarium') check(['containarium', ...passed], scripts, exact);
}

/**
 * Throws if the words are not a valid command line for the actor, or, in a line without placeholders, if a value is
 * refused.
 */
function checkVerb(words: readonly string[], actor: Pick<Actor, 'entryPoint' | 'role'>, exact: boolean): void {
  const { verb, input, help } = parseCommandLine(words, actor);
  if (!mayUse(verb, actor.entryPoint, actor.role))
    throw new Error(`"${verb.name}" may not be used over ${actor.entryPoint}`);
  if (!exact || help) return;
  const { stdin } = verb;
  const given = stdin === undefined ? undefined : input[stdin.into];
  const isFile = typeof given === 'string' && !/^(ssh-|ecdsa-|sk-)/.test(given);
  if (isFile && given !== '-' && actor.entryPoint !== 'local' && actor.entryPoint !== 'remote')
    throw new Error(`${given} is a path, and over ssh a path means nothing`);
  checkInput(
    verb,
    stdin === undefined || (given !== undefined && !isFile)
      ? input
      : { ...input, [stdin.into]: stdinFor(verb.name, sampleKey) },
  );
}
