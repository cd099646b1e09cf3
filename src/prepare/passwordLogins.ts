/**
 * Finds out whether an account of this machine may log in with a password. Only if none can is it safe to turn
 * passwords off without a word from an admin, so every doubt counts as yes.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { defaultSshdConfig } from '../settings/types.ts';
import { run } from './programs.ts';

export interface PasswordFacts {
  /** /etc/passwd and /etc/shadow. */
  readonly passwd: string;
  readonly shadow: string;
  /** /etc/nsswitch.conf, and the PAM stack of Debian that checks passwords, /etc/pam.d/common-auth. */
  readonly nsswitch: string;
  readonly pam: string;
  /** The output of `sshd -T` for root. */
  readonly sshd: string;
  /** The files that sshd reads, except our own. */
  readonly sshdFiles: string;
}

/** Sources of accounts whose passwords, if any, are in /etc/shadow. */
const localSources = new Set(['files', 'compat', 'systemd', 'mymachines']);

/** PAM modules that check /etc/shadow, or nothing. */
const localModules = new Set(['pam_unix.so', 'pam_deny.so', 'pam_permit.so', 'pam_cap.so', 'pam_faildelay.so']);

/** Returns the fields of the lines of passwd(5) or shadow(5). */
function fieldsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}

/** Reports whether a password field of shadow(5) may match a password: `!` and `*` at its start match none. */
function isUsable(field: string | undefined): boolean {
  return field === undefined || !/^[!*]/.test(field);
}

/** Returns why passwords may be in use, or `undefined` if no account can log in with one. */
export function whyPasswordsMayBeUsed({
  passwd,
  shadow,
  nsswitch,
  pam,
  sshd,
  sshdFiles,
}: PasswordFacts): string | undefined {
  const inForce = new Set(sshd.split('\n').map((line) => line.trim().toLowerCase()));
  const sources = [...nsswitch.matchAll(/^(?:passwd|shadow):(.*)$/gm)].flatMap(([, list = '']) =>
    list
      .replace(/\[[^[\]]*\]|#.*$/g, ' ')
      .split(/\s+/)
      .filter(Boolean),
  );
  if (sources.length === 0 || sources.some((source) => !localSources.has(source)))
    return 'accounts may come from elsewhere than /etc/passwd (nsswitch.conf)';
  const modules = pam
    .split('\n')
    .filter((line) => /^\s*-?auth\s/.test(line))
    .flatMap((line) => line.split(/\s+/).find((word) => word.endsWith('.so')) ?? [])
    .map((module) => basename(module));
  if (modules.length === 0 || /^[ \t]*@?include\b/m.test(pam) || modules.some((module) => !localModules.has(module)))
    return 'PAM may check passwords elsewhere than in /etc/shadow (common-auth)';
  // `sshd -T` answers for one connection only.
  if (/^[ \t]*Match\b(?![ \t]+all[ \t]*$)/im.test(sshdFiles))
    return 'sshd has other settings for some connections (Match)';
  if (/^[ \t]*Include\b(?!.*\bsshd_config\.d\/)/im.test(sshdFiles)) return 'sshd reads further files (Include)';
  if (!inForce.has('kbdinteractiveauthentication no'))
    return 'sshd asks for more than a password (KbdInteractiveAuthentication)';
  if (!inForce.has('authenticationmethods any')) return 'sshd asks for chosen methods (AuthenticationMethods)';
  const mayRoot = inForce.has('permitrootlogin yes');
  const accounts = fieldsOf(shadow);
  if (accounts.length === 0) return '/etc/shadow has no accounts';
  const [found] = [
    ...accounts.filter(([name, password]) => isUsable(password) && (name !== 'root' || mayRoot)),
    ...fieldsOf(passwd).filter(([, password]) => password !== 'x' && isUsable(password)),
  ];
  return found === undefined ? undefined : `the account "${found[0] ?? ''}" has a password`;
}

/** Looks at this machine. See {@link whyPasswordsMayBeUsed}. */
export async function whyPasswordsMayBeUsedHere(): Promise<string | undefined> {
  try {
    const [passwd, shadow, nsswitch, pam] = await Promise.all(
      ['/etc/passwd', '/etc/shadow', '/etc/nsswitch.conf', '/etc/pam.d/common-auth'].map((path) =>
        readFile(path, 'utf8'),
      ),
    );
    const sshdFiles = await Promise.all(
      [
        defaultSshdConfig,
        ...(await readdir(`${defaultSshdConfig}.d`))
          .filter((name) => name.endsWith('.conf') && !name.endsWith('-containarium.conf'))
          .map((name) => join(`${defaultSshdConfig}.d`, name)),
      ].map((path) => readFile(path, 'utf8')),
    );
    // `sshd -T` needs its privilege separation folder, which only a started unit creates.
    await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    const { stdout } = await run('sshd', [
      '-T',
      '-f',
      defaultSshdConfig,
      '-C',
      'user=root,host=localhost,addr=127.0.0.1',
    ]);
    return whyPasswordsMayBeUsed({
      passwd: passwd ?? '',
      shadow: shadow ?? '',
      nsswitch: nsswitch ?? '',
      pam: pam ?? '',
      sshd: stdout,
      sshdFiles: sshdFiles.join('\n'),
    });
  } catch (error) {
    return `it cannot be found out: ${error instanceof Error ? error.message : String(error)}`;
  }
}
