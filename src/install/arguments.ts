/** The command lines of `install`, `uninstall` and `upgrade`. */
import { isAbsolute } from 'node:path';
import type { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import { isName } from '../domain/values/username.ts';
import { misused, parseWords } from '../settings/words.ts';

export interface GivenAdmin {
  readonly name: string;
  readonly keysFile: string;
}

export interface InstallArguments {
  /** Disk for the containers and all that belongs to them. */
  readonly dataDisk?: string;
  /** The first admins: their names, and the files with their public keys. */
  readonly admins: readonly GivenAdmin[];
  /** Name by which users reach this machine. */
  readonly hostname?: string;
  /** Say what would be changed, and change nothing. */
  readonly check: boolean;
  /** Install the program and its units and nothing else; start nothing. */
  readonly programOnly: boolean;
  /** With `programOnly`: the folder to install below. */
  readonly root: string;
  readonly uninstall: boolean;
}

export interface UpgradeArguments {
  readonly archive: string;
  readonly sha256?: string;
  readonly allowDowngrade: boolean;
}

const installUsage =
  'sudo ./install.sh [--data-disk <device>] [--admin <name> --admin-keys <file>]… [--hostname <name>] [--check], or sudo ./install.sh --uninstall';
const recoverUsage = 'sudo containarium recover --data-disk <device> [--apply]';
const upgradeUsage = 'sudo containarium upgrade <archive> [--sha256 <checksum>] [--allow-downgrade]';

/** Parses the arguments of `install`. Throws `usage`. */
export function readInstallArguments(words: readonly string[]): InstallArguments {
  const { values, positionals } = parseWords('install', installUsage, words, {
    'data-disk': { type: 'string' },
    admin: { type: 'string', multiple: true },
    'admin-keys': { type: 'string', multiple: true },
    hostname: { type: 'string' },
    check: { type: 'boolean' },
    'program-only': { type: 'boolean' },
    root: { type: 'string' },
    uninstall: { type: 'boolean' },
  });
  const misuse = (why: string): Failure => misused('install', installUsage, why);
  const [stray] = positionals;
  if (stray !== undefined) throw misuse(`it takes no argument ${quoted(stray)}`);
  const { hostname, root, check = false, uninstall = false, 'data-disk': dataDisk } = values;
  const { 'program-only': programOnly = false } = values;
  for (const [name, value] of Object.entries(values))
    if (value === '' || (Array.isArray(value) && value.includes(''))) throw misuse(`--${name} is empty`);
  if (root !== undefined && !programOnly) throw misuse('--root needs --program-only');
  if (dataDisk !== undefined && !/^\/dev\/[\w./:+-]+$/.test(dataDisk))
    throw misuse(`--data-disk ${quoted(dataDisk)} is not a path below /dev`);
  const admins = givenAdmins(values.admin ?? [], values['admin-keys'] ?? [], misuse);
  if (hostname !== undefined && !/^[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/.test(hostname))
    throw misuse(`--hostname ${quoted(hostname)} is not the name or the address of a host`);
  const others = admins.length > 0 || dataDisk !== undefined || hostname !== undefined;
  if (uninstall && (others || programOnly)) throw misuse('--uninstall takes no other option but --check');
  return {
    ...(dataDisk === undefined ? {} : { dataDisk }),
    admins,
    ...(hostname === undefined ? {} : { hostname }),
    check,
    programOnly,
    root: root ?? '/',
    uninstall,
  };
}

/** Pairs names with files. A single file needs no name. */
function givenAdmins(
  names: readonly string[],
  files: readonly string[],
  misuse: (why: string) => Failure,
): readonly GivenAdmin[] {
  const all = names.length === 0 && files.length === 1 ? ['admin'] : names;
  const bad = all.find((name) => !isName(name));
  if (bad !== undefined) throw misuse(`${quoted(bad)} cannot be the name of an admin`);
  if (all.length !== files.length) throw misuse('each --admin needs its --admin-keys');
  const twice = all.find((name, i) => all.indexOf(name) !== i);
  if (twice !== undefined) throw misuse(`--admin ${twice} is given twice`);
  return all.map((name, i) => ({ name, keysFile: files[i] ?? '' }));
}

/**
 * Parses the arguments of `recover`, which is an installation on a disk that has the pool already. Without `--apply` it
 * only says what it would do. Throws `usage`.
 */
export function readRecoverArguments(words: readonly string[]): InstallArguments {
  const { values, positionals } = parseWords('recover', recoverUsage, words, {
    'data-disk': { type: 'string' },
    apply: { type: 'boolean' },
  });
  const [stray] = positionals;
  if (stray !== undefined) throw misused('recover', recoverUsage, `it takes no argument ${quoted(stray)}`);
  const { 'data-disk': dataDisk, apply = false } = values;
  if (dataDisk === undefined) throw misused('recover', recoverUsage, 'it needs the disk: --data-disk');
  return readInstallArguments(['--data-disk', dataDisk, ...(apply ? [] : ['--check'])]);
}

/** Parses the arguments of `upgrade`. Throws `usage`. */
export function readUpgradeArguments(words: readonly string[]): UpgradeArguments {
  const { values, positionals } = parseWords('upgrade', upgradeUsage, words, {
    sha256: { type: 'string' },
    'allow-downgrade': { type: 'boolean' },
  });
  const misuse = (why: string): Failure => misused('upgrade', upgradeUsage, why);
  const [archive, stray] = positionals;
  if (archive === undefined || archive === '') throw misuse('it needs the archive of a release');
  if (stray !== undefined) throw misuse(`it takes no argument ${quoted(stray)}`);
  const { sha256, 'allow-downgrade': allowDowngrade = false } = values;
  if (sha256 !== undefined && !/^[0-9a-fA-F]{64}$/.test(sha256)) throw misuse('--sha256 must be 64 hexadecimal digits');
  return {
    archive: isAbsolute(archive) ? archive : `./${archive}`,
    ...(sha256 === undefined ? {} : { sha256: sha256.toLowerCase() }),
    allowDowngrade,
  };
}
