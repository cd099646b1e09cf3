/** `containarium serve`: reads the configuration, prepares the host with --real, starts core, and prints the banner. */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { Server, type Started } from '../core/server.ts';
import { Failure } from '../domain/failure.ts';
import { ProgramRunner } from '../host/runner.ts';
import { printableLines, quoted, safeJson } from '../domain/text.ts';
import type { Home } from '../settings/home.ts';
import { parseAddressAndPort } from '../settings/addressAndPort.ts';
import { readSettings, type Settings } from '../settings/settings.ts';
import { collectGarbage } from './collectGarbage.ts';
import { consents } from './consent.ts';
import { chooseHome } from './homeChoice.ts';
import { ServiceManager } from './serviceManager.ts';
import { stopSignal } from './stopSignal.ts';

export interface Arguments {
  readonly real: boolean;
  readonly simulated: boolean;
  /** With `real`: whether ZFS is installed without a question. */
  readonly zfs: boolean;
  readonly config: string | undefined;
  /** Read the settings, and start nothing. */
  readonly checkSettings: boolean;
}

/**
 * Starts a full garbage collection when the heap has grown by a fifth, not by its own size. On a machine with much
 * memory V8 would let the garbage of thousands of logins pile up first (`npm run bench:shell`, the rounds of connects).
 */
const frugalHeap = '--heap-growing-percent=20';

/** How long after its start the server collects the garbage of it, in milliseconds: the first clients do not wait. */
const collectAfterMs = 2000;

/** Parses the arguments of `serve`. Throws `usage` if they are invalid. */
export function readArguments(words: readonly string[]): Arguments {
  // Not strict: the texts of its errors are not ours.
  const { values, tokens } = parseArgs({
    args: [...words],
    options: {
      real: { type: 'boolean' },
      simulated: { type: 'boolean' },
      zfs: { type: 'boolean' },
      config: { type: 'string' },
      'check-settings': { type: 'boolean' },
    },
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    const wrong = faultOf(token);
    if (wrong !== undefined) throw misused(wrong);
  }
  const { real = false, simulated = false, zfs = false, config } = values;
  if (real && simulated) throw misused('--real and --simulated exclude each other');
  if (zfs && !real) throw misused('--zfs needs --real');
  return {
    real: real === true,
    simulated: simulated === true,
    zfs: zfs === true,
    config: typeof config === 'string' ? config : undefined,
    checkSettings: values['check-settings'] === true,
  };
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];

/** Returns what is wrong with one word of the command line. */
function faultOf(token: Token): string | undefined {
  if (token.kind === 'option-terminator') return undefined;
  if (token.kind === 'positional') return `it takes no argument ${quoted(token.value)}`;
  const { name, rawName, value, inlineValue } = token;
  if (name === 'config') {
    const isOption = inlineValue === false && value.startsWith('-');
    return value === undefined || value === '' || isOption ? 'no file after --config' : undefined;
  }
  if (!['real', 'simulated', 'zfs', 'check-settings'].includes(name)) return `unknown option ${quoted(rawName)}`;
  return value === undefined ? undefined : `${rawName} takes no value`;
}

function misused(why: string): Failure {
  const next = 'containarium serve [--real [--zfs] | --simulated] [--config <file>] [--check-settings]';
  return new Failure('usage', { what: '"serve"', why, next });
}

async function settingsFor(args: Arguments, home: Home, env: NodeJS.ProcessEnv): Promise<Settings> {
  const path = args.config ?? env['CONTAINARIUM_CONFIG'] ?? home.configuration;
  const settings = await readSettings(path, args.config !== undefined || env['CONTAINARIUM_CONFIG'] !== undefined);
  const listen = env['CONTAINARIUM_LISTEN'];
  const host = args.real ? 'incus' : args.simulated ? 'simulated' : env['CONTAINARIUM_HOST'];
  if (host !== undefined && host !== 'auto' && host !== 'incus' && host !== 'simulated') {
    throw new Failure('settings', {
      what: `CONTAINARIUM_HOST=${quoted(host)}`,
      why: 'there is no such host',
      next: 'set it to auto, incus or simulated',
    });
  }
  return {
    ...settings,
    ...(listen === undefined ? {} : { listen: parseAddressAndPort(listen) }),
    ...(host === undefined ? {} : { host }),
  };
}

/** Runs the server until it is stopped. `remote` replaces settings of the remote interface. */
export async function serve(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  remote: Partial<Settings['remote']> = {},
): Promise<number> {
  setFlagsFromString(frugalHeap);
  const args = readArguments(words);
  const uid = process.getuid?.();
  const isRoot = uid === 0;
  const home = await chooseHome({ ...args, env, uid, isIncusUsable });
  const configured = await settingsFor(args, home, env);
  const settings = { ...configured, remote: { ...configured.remote, ...remote } };
  if (args.checkSettings) {
    process.stdout.write('The settings are valid.\n');
    return 0;
  }
  if (args.real) {
    if (!isRoot)
      throw new Failure('denied', {
        what: '--real',
        why: 'preparing a host requires root',
        next: 'sudo npm start -- --real',
      });
    const { prepareHost, prepareSettings } = await import('../prepare/prepare.ts');
    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    await prepareHost({
      say,
      // --real is the consent.
      ask: () => Promise.resolve(true),
      offer: (question) => consents(question, { accepted: args.zfs, how: 'containarium serve --real --zfs', say }),
      settings: prepareSettings(settings, home),
    });
  }
  // Node.js itself would write the message unescaped, into the system's journal too.
  process.on('uncaughtException', (error) => {
    process.stderr.write(
      `${safeJson({ level: 'fatal', time: new Date().toISOString(), msg: 'uncaught exception, the server exits', error: error.stack })}\n`,
    );
    process.exit(1);
  });
  const server = new Server({ home, settings, env });
  const started = await server.started;
  process.stdout.write(printableLines(banner(started, { home, isRoot, settings })));
  const manager = new ServiceManager(env, new ProgramRunner(), (why) =>
    process.stderr.write(
      `${safeJson({ level: 'warn', time: new Date().toISOString(), msg: 'systemd was not told', why })}\n`,
    ),
  );
  await manager.ready(`Listening on ${withBrackets(started.listening.address)}:${started.listening.port}`);
  setTimeout(collectGarbage, collectAfterMs).unref();
  const signal = await stopSignal();
  process.stdout.write(`${signal}: stopping\n`);
  await manager.stopping();
  await server.stop('the server is stopping');
  return 0;
}

async function isIncusUsable(): Promise<boolean> {
  const { Incus } = await import('../host/incus/incus.ts');
  const { incusTrouble } = await import('../host/incus/trouble.ts');
  const { SocketReads } = await import('../host/incus/socketReads.ts');
  return (await incusTrouble(new Incus({ runner: new ProgramRunner(), reads: new SocketReads() }))) === undefined;
}

function withBrackets(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function remoteLines(listening: Started['remote'], { listen, insecureAs }: Settings['remote']): string[] {
  if (listen === undefined) return [];
  if (listening === undefined)
    return ['Remote:    off until there are certificates: "cert generate" makes them, and it starts by itself'];
  const where = `${withBrackets(listening.address)}:${listening.port}`;
  return [
    insecureAs === undefined
      ? `Remote:    ${where} (gRPC, mutual TLS)`
      : `Remote:    ${where} (gRPC, no TLS: every client acts as ${insecureAs})`,
  ];
}

function adminLine({ name, keys, from, made }: Started['firstAdmins'][number]): string {
  const theirs = keys.length === 1 ? 'the key' : `the ${keys.length} keys`;
  return `Admin:     ${name}, with ${made ? `a new key pair: ${from}` : `${theirs} in ${from}`}`;
}

function banner(
  { host, listening, hostKey, firstAdmins, madeKey, version, remote }: Started,
  { home, isRoot, settings }: { home: Home; isRoot: boolean; settings: Settings },
): string {
  const shown = listening.address === '0.0.0.0' || listening.address === '::' ? 'localhost' : listening.address;
  const identity = madeKey === undefined ? '' : ` -i ${madeKey}`;
  const lines = [
    `containarium ${version}`,
    host.simulated ? `Host:      SIMULATED, nothing here is real (${host.why})` : 'Host:      Incus on this machine',
    `Listening: ${withBrackets(listening.address)}:${listening.port}`,
    ...remoteLines(remote, settings.remote),
    `Host key:  ${hostKey.fingerprint} (ed25519)${hostKey.made ? ', new' : ''}`,
    `Home:      ${home.root}`,
    ...firstAdmins.map(adminLine),
    '',
    `  ssh -p ${listening.port}${identity} manage@${shown} help`,
    `  ssh -p ${listening.port}${identity} manage@${shown} create alice < ${madeKey === undefined ? '~/.ssh/id_ed25519.pub' : `${madeKey}.pub`}`,
    '',
    ...(host.simulated && isRoot && process.platform === 'linux'
      ? ['To use a real host: npm start -- --real', '']
      : []),
  ];
  return lines.join('\n');
}
