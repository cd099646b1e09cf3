/** The SSH clients that people have, each told in its own words what to connect to and what to run. */
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { goProgram, opensshTen, paramiko } from './downloads.ts';
import { temporaryFolder, type TestServer } from './server.ts';

/** What clients need to know of a server. */
export type SshTarget = Pick<TestServer, 'port' | 'home' | 'adminKey' | 'sshArguments'>;

export interface ClientOptions {
  /** Asks for a terminal. */
  readonly terminal?: boolean;
  /** Has no terminal on this side. */
  readonly piped?: boolean;
  /** Has the client change keys after so many bytes, where it can. */
  readonly rekeyBytes?: number;
  /** Says on standard error what the transport does. */
  readonly verbose?: boolean;
}

export interface SshClient {
  readonly name: string;
  /** Program and arguments up to and including the host. */
  command(server: SshTarget, options?: ClientOptions): Promise<string[]>;
  /** Its environment beside the usual one. */
  readonly env: Readonly<Record<string, string>>;
  /** How many key exchanges a verbose run tells of; `undefined` where the client says nothing. */
  exchanges(stderr: string): number | undefined;
  /** Whether it can be told to change keys by itself. */
  readonly changesKeys: boolean;
  /** A small program on a library, and no program that people have. */
  readonly isLibrary?: boolean;
}

function openssh(name: string, program: () => Promise<string[]>): SshClient {
  return {
    name,
    env: {},
    changesKeys: true,
    async command(server, { terminal = false, rekeyBytes, verbose = false } = {}) {
      const limit = rekeyBytes === undefined ? [] : ['-o', `RekeyLimit=${rekeyBytes}`];
      const level = verbose ? ['-o', 'LogLevel=DEBUG'] : ['-o', 'LogLevel=INFO'];
      return [...(await program()), ...server.sshArguments({ tty: terminal, options: [...limit, ...level] })];
    },
    exchanges: (stderr) => stderr.match(/SSH2_MSG_NEWKEYS received/g)?.length ?? 0,
  };
}

async function hostKey(server: SshTarget): Promise<string> {
  const { stdout } = await execa('ssh-keygen', ['-l', '-f', join(server.home, 'keys', 'host_ed25519.pub')]);
  return stdout.split(' ')[1] ?? '';
}

/** PuTTY's, told by a saved session: it has no option for its data limit. */
async function plink(): Promise<SshClient> {
  const home = await temporaryFolder();
  await mkdir(join(home, '.putty', 'sessions'), { recursive: true });
  return {
    name: 'plink',
    env: { HOME: home },
    changesKeys: true,
    async command(server, { terminal = false, rekeyBytes, verbose = false } = {}) {
      const folder = await mkdtemp(join(home, 'key-'));
      const key = join(folder, 'key.ppk');
      await execa('puttygen', [server.adminKey, '-O', 'private', '-o', key]);
      const session = folder.slice(home.length + 1);
      const settings = [
        'Protocol=ssh',
        ...(rekeyBytes === undefined ? [] : [`RekeyBytes=${rekeyBytes}`]),
        'TerminalType=xterm',
        '',
      ];
      await writeFile(join(home, '.putty', 'sessions', session), settings.join('\n'));
      return [
        ...[
          'plink',
          '-load',
          session,
          '-batch',
          '-P',
          String(server.port),
          '-i',
          key,
          '-hostkey',
          await hostKey(server),
        ],
        ...(verbose ? ['-v'] : []),
        ...(terminal ? ['-t'] : []),
        'manage@127.0.0.1',
      ];
    },
    exchanges: (stderr) => stderr.match(/Initialised .* outbound encryption/g)?.length ?? 0,
  };
}

/**
 * Runs a command in a terminal (pty(7)) whose other end are the standard streams. The terminal hangs up as soon as the
 * command has closed its side, which it does before it ends: the signal of that would be its exit status.
 */
const pseudoTerminal =
  'import os, pty, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

/** Dropbear's client: it guesses the key exchange, and sends the first packet of it at once. */
async function dbclient(): Promise<SshClient> {
  const home = await temporaryFolder();
  return {
    name: 'dbclient',
    env: { HOME: home },
    changesKeys: false,
    async command(server, { terminal = false, piped = false } = {}) {
      const folder = await mkdtemp(join(home, 'key-'));
      const key = join(folder, 'key');
      await execa('dropbearconvert', ['openssh', 'dropbear', server.adminKey, key]);
      // It insists on a terminal of its own here where it asks for one there.
      const own = terminal && piped ? ['python3', '-c', pseudoTerminal] : [];
      return [
        ...own,
        'dbclient',
        '-y',
        '-y',
        '-p',
        String(server.port),
        '-i',
        key,
        ...(terminal ? ['-t'] : []),
        'manage@127.0.0.1',
      ];
    },
    exchanges: () => undefined,
  };
}

/** What the clients that are built on libraries are told, as JSON. */
interface LibrarySettings {
  readonly port: number;
  readonly key: string;
  readonly hostKey: string;
  readonly terminal: boolean;
  readonly verbose: boolean;
  readonly rekeyBytes: number | null;
}

async function settingsFor(
  server: SshTarget,
  { terminal = false, verbose = false, rekeyBytes }: ClientOptions,
): Promise<string> {
  const settings: LibrarySettings = {
    port: server.port,
    key: server.adminKey,
    hostKey: await publicHostKey(server),
    terminal,
    verbose,
    rekeyBytes: rekeyBytes ?? null,
  };
  return JSON.stringify(settings);
}

const programOf = (name: string): string => fileURLToPath(new URL(`clients/${name}`, import.meta.url));

/** The library of most Python programs that speak SSH. */
async function paramikoClient(): Promise<SshClient> {
  return {
    name: 'paramiko',
    env: { PYTHONPATH: await paramiko() },
    changesKeys: true,
    isLibrary: true,
    command: async (server, options = {}) => [
      'python3',
      programOf('paramikoClient.py'),
      await settingsFor(server, options),
    ],
    exchanges: (stderr) => stderr.match(/Switch to new keys/g)?.length ?? 0,
  };
}

/** The library of most Go programs that speak SSH. */
async function goClient(): Promise<SshClient> {
  const program = await goProgram(programOf('goClient.go'));
  return {
    name: 'x/crypto/ssh',
    env: {},
    changesKeys: true,
    isLibrary: true,
    command: async (server, options = {}) => [program, await settingsFor(server, options)],
    exchanges: (stderr) => stderr.match(/keys are exchanged/g)?.length ?? 0,
  };
}

/** All of them. The packages that they come with are installed by `npm test`. */
export async function sshClients(): Promise<SshClient[]> {
  return [
    openssh('OpenSSH of this machine', () => Promise.resolve(['ssh'])),
    openssh('OpenSSH 10', opensshTen),
    await plink(),
    await dbclient(),
    await paramikoClient(),
    await goClient(),
  ];
}

/** The public host key, as ssh-keyscan(1) sees it. */
export async function keyscan(server: TestServer): Promise<string> {
  const { stdout } = await execa('ssh-keyscan', ['-p', String(server.port), '-t', 'ed25519', '127.0.0.1']);
  return stdout.trim().split(' ').slice(1).join(' ');
}

export async function publicHostKey(server: Pick<TestServer, 'home'>): Promise<string> {
  return (await readFile(join(server.home, 'keys', 'host_ed25519.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
}
