/**
 * Which servers a command line is for: `--server` and `--certs-dir`, the environment, or servers by name in
 * `~/.config/containarium/config.yaml`.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { own } from '../domain/own.ts';
import { joinChoices, quoted } from '../domain/text.ts';
import type { Config } from './configFile.ts';

export interface RemoteHost {
  /** As the caller names it. */
  readonly name: string;
  /** What the caller types before a verb for this server. */
  readonly prefix: string;
  /** `host:port`. */
  readonly address: string;
  /** Undefined for a server without TLS. */
  readonly certificatesFolder: string | undefined;
}

export interface RemoteWords {
  readonly words: readonly string[];
  readonly server?: string;
  readonly certificatesFolder?: string;
  readonly on?: string;
  /** Whether the server has no TLS. */
  readonly insecure?: boolean;
}

const defaultPort = 50_051;

/** The options that are the client's own; the server never sees them. */
const options = {
  '--server': { property: 'server', example: 'jump.example.org:50051' },
  '--certs-dir': { property: 'certificatesFolder', example: '~/certs' },
  '--on': { property: 'on', example: 'all' },
} as const;

export const insecureOption = '--insecure';

/** The options of the client that take a value, as they are typed, and all of them. */
export const ownValueOptions: readonly string[] = Object.keys(options);
export const ownOptions: readonly string[] = [...ownValueOptions, insecureOption];

/** Takes the options that name servers out of the words. Throws `usage` for one without a value. */
export function remoteWords(typed: readonly string[]): RemoteWords {
  const found: { server?: string; certificatesFolder?: string; on?: string; insecure?: boolean } = {};
  const words: string[] = [];
  for (let at = 0; at < typed.length; at++) {
    const word = typed[at] ?? '';
    if (word === '--') return { ...found, words: [...words, ...typed.slice(at)] };
    if (word === insecureOption) {
      found.insecure = true;
      continue;
    }
    const [name = '', ...rest] = word.split('=');
    const option = Object.hasOwn(options, name) ? options[name as keyof typeof options] : undefined;
    if (option === undefined) {
      words.push(word);
      continue;
    }
    const value = rest.length > 0 ? rest.join('=') : typed[++at];
    if (value === undefined || value === '')
      throw new Failure('usage', {
        what: name,
        why: 'it needs a value',
        next: `for example ${name} ${option.example}`,
      });
    found[option.property] = value;
  }
  return { ...found, words };
}

/** The name of the server on this machine, for a command line that config.yaml would send elsewhere. */
const here = 'local';

/** Returns the folder of the client's configuration and certificates. */
function configFolder(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'containarium');
}

/**
 * Returns the servers that the words are for; undefined if they name none, so that they are for the server on this
 * machine. Rejects with `settings` or `not-found`.
 */
export async function remoteHosts(
  { server, certificatesFolder, on, insecure }: RemoteWords,
  env: NodeJS.ProcessEnv,
): Promise<readonly RemoteHost[] | undefined> {
  const folder = certificatesFolder ?? given(env['CONTAINARIUM_CERTS']) ?? join(configFolder(env), 'certs');
  const address = server ?? (on === undefined ? given(env['CONTAINARIUM_SERVER']) : undefined);
  if (server !== undefined && on !== undefined)
    throw new Failure('usage', { what: '--server and --on', why: 'both name a server', next: 'leave one out' });
  if (insecure === true) return [insecureHost(address)];
  if (address !== undefined) {
    const prefix = server === undefined ? 'containarium' : `containarium --server ${server}`;
    return [{ name: address, prefix, address: withPort(address), certificatesFolder: folder }];
  }
  if (on === here) return undefined;
  const known = await readKnown(env);
  const wanted = on ?? known?.default;
  if (wanted === undefined) return undefined;
  const names = Object.keys(known?.servers ?? {});
  const chosen = wanted === 'all' ? names : [...new Set(wanted.split(','))];
  if (chosen.length === 0) throw noServers(configFolder(env));
  return chosen.map((name) => {
    const found = own(known?.servers ?? {}, name);
    if (found === undefined)
      throw new Failure('not-found', {
        what: `server ${quoted(name)}`,
        why: 'no server has this name',
        next:
          names.length === 0 ? `add it to ${join(configFolder(env), 'config.yaml')}` : `there is ${joinChoices(names)}`,
      });
    return {
      name,
      prefix: on === undefined ? 'containarium' : `containarium --on ${name}`,
      address: withPort(found.address),
      certificatesFolder: certificatesFolder ?? atHome(found.certs) ?? folder,
    };
  });
}

/** Returns the server without TLS at an address. Throws `usage` unless it is on this machine. */
function insecureHost(address: string | undefined): RemoteHost {
  const name = address ?? '';
  if (!/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(name))
    throw new Failure('usage', {
      what: insecureOption,
      why: address === undefined ? 'it needs --server' : `${quoted(name)} is not this machine`,
      next: 'for example --server 127.0.0.1:50051; over a network, use certificates or "ssh -L"',
    });
  const prefix = `containarium --server ${name} ${insecureOption}`;
  return { name, prefix, address: withPort(name), certificatesFolder: undefined };
}

/** Returns the names of servers in config.yaml. */
export async function knownServers(env: NodeJS.ProcessEnv): Promise<string[]> {
  return Object.keys((await readKnown(env))?.servers ?? {});
}

/** Loads what reads YAML only if there is a file. */
async function readKnown(env: NodeJS.ProcessEnv): Promise<Config | undefined> {
  const path = join(configFolder(env), 'config.yaml');
  return existsSync(path) ? (await import('./configFile.ts')).readConfig(path) : undefined;
}

/** An empty variable counts as none. */
function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function atHome(path: string | undefined): string | undefined {
  return path?.startsWith('~/') === true ? join(homedir(), path.slice(2)) : path;
}

function noServers(folder: string): Failure {
  return new Failure('settings', {
    what: join(folder, 'config.yaml'),
    why: 'it names no server',
    next: 'add one: servers: {jump: {address: "jump.example.org:50051"}}',
  });
}

/** Adds the default port to an address without one. */
function withPort(address: string): string {
  return /^\[[0-9a-f:.]+\]$|^[^:[\]]+$/i.test(address) ? `${address}:${defaultPort}` : address;
}
