/** Common SSH clients behind one interface. */
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { goProgram, opensshTen, paramiko } from './downloads.ts';
import { temporaryFolder, type TestServer } from './server.ts';

/** The properties of a server that clients need. */
export type SshTarget = Pick<TestServer, 'port' | 'home' | 'adminKey' | 'sshArguments'>;

export interface ClientOptions {
  /** Requests a terminal. */
  readonly terminal?: boolean;
  /** Runs without a local terminal. */
  readonly piped?: boolean;
  /** Number of bytes after which the client changes keys, if it can. */
  readonly rekeyBytes?: number;
  /** Logs transport messages to standard error. */
  readonly verbose?: boolean;
}

export interface SshClient {
  readonly name: string;
  /** Returns the program and its arguments, up to and including the host. */
  command(server: SshTarget, options?: ClientOptions): Promise<string[]>;
  /** Additional environment variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Returns the number of key exchanges in the output of a verbose run, or undefined if the client logs none. */
  exchanges(stderr: string): number | undefined;
  /** Whether the client can initiate a key change. */
  readonly changesKeys: boolean;
  /** Whether the client is a test program built on a library. */
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

/** PuTTY's client. It is configured by a saved session, because it has no option for the rekey limit. */
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
 * Runs a command in a terminal (pty(7)) that is connected to the standard streams. It ignores SIGHUP: the terminal
 * hangs up when the command closes it, before the command exits, and the signal would replace the exit status.
 */
const pseudoTerminal =
  'import os, pty, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

/** Dropbear's client. It guesses the key exchange and sends its first packet at once. */
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
      // It needs a local terminal to request a remote one.
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

/** The settings of clients that are built on libraries, passed as JSON. */
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

/** A client on paramiko, the library of most Python programs that speak SSH. */
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

/** A client on golang.org/x/crypto/ssh, the library of most Go programs that speak SSH. */
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

/** Returns all clients. `npm test` installs their packages. */
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

/** Returns the public host key as ssh-keyscan(1) prints it. */
export async function keyscan(server: TestServer): Promise<string> {
  const { stdout } = await execa('ssh-keyscan', ['-p', String(server.port), '-t', 'ed25519', '127.0.0.1']);
  return stdout.trim().split(' ').slice(1).join(' ');
}

export async function publicHostKey(server: Pick<TestServer, 'home'>): Promise<string> {
  return (await readFile(join(server.home, 'keys', 'host_ed25519.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
}
