/** The step that gives a new server its first settings: the name of the host, and the first admins. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { stringify } from 'yaml';
import { ownPublicKeys } from '../host/ownKeys.ts';
import { exists } from '../prepare/files.ts';
import type { GivenAdmin } from './arguments.ts';
import { Failure } from '../domain/failure.ts';
import { parseLimitedKeys } from '../domain/keys/keyLimits.ts';
import { plural, quoted } from '../domain/text.ts';
import { isName } from '../domain/values/username.ts';
import { defaultHomes } from '../settings/home.ts';
import { invoker } from '../settings/invoker.ts';
import type { Say, Step } from './step/step.ts';

export interface ServerOptions {
  readonly say: Say;
  readonly env: NodeJS.ProcessEnv;
  readonly hostname?: string;
  /** The first admins. Default: the person who runs the installer. */
  readonly admins: readonly GivenAdmin[];
}

interface FirstAdmin {
  readonly name: string;
  readonly from: string;
  /** Lines of a public key file (sshd(8), authorized_keys). */
  readonly text: string;
}

const home = defaultHomes.system;

/** Returns the step. What a server has already, on this disk or on the data disk, is left as it is. */
export function serverStep(options: ServerOptions): Step {
  const { say, hostname } = options;
  const lacksSettings = async (): Promise<boolean> => hostname !== undefined && !(await exists(home.configuration));
  const isNew = async (): Promise<boolean> => !(await exists(join(home.state, 'admins.json')));
  const newAdmins = async (): Promise<readonly FirstAdmin[]> => {
    if (!(await isNew())) return [];
    const given = await Promise.all(options.admins.map(givenAdmin));
    return given.length > 0 ? given : ownAdmin(options.env);
  };
  return {
    survey: async () => {
      const admins = await newAdmins();
      return [
        ...((await lacksSettings()) ? [`Write ${home.configuration} with the name ${hostname}`] : []),
        ...admins.map(admission),
      ];
    },
    apply: async () => {
      const admins = await newAdmins();
      await mkdir(home.root, { recursive: true, mode: 0o711 });
      if (await lacksSettings()) {
        say(`Writing ${home.configuration} with the name ${hostname}`);
        await writeFileAtomic(home.configuration, stringify({ jump: { hostname } }), { mode: 0o644 });
      }
      await rm(home.firstAdmins, { recursive: true, force: true });
      if (admins.length === 0) return;
      await mkdir(home.firstAdmins, { recursive: true, mode: 0o700 });
      for (const admin of admins) {
        say(admission(admin));
        await writeFileAtomic(join(home.firstAdmins, `${admin.name}.pub`), admin.text, { mode: 0o600 });
      }
    },
  };
}

function admission({ name, from, text }: FirstAdmin): string {
  return `Admit the admin "${name}" with ${plural(parseLimitedKeys(text).length, 'key')} of ${from}`;
}

async function givenAdmin({ name, keysFile }: GivenAdmin): Promise<FirstAdmin> {
  const text = await readFile(keysFile, 'utf8').catch((error: unknown) => {
    throw new Failure(
      'usage',
      {
        what: `--admin-keys ${quoted(keysFile)}`,
        why: `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        next: 'name a file with public keys',
      },
      error,
    );
  });
  parseLimitedKeys(text);
  return { name, from: keysFile, text };
}

/**
 * Returns the person who runs the installer, with their own public keys, or with the keys that admit them to this
 * machine: on a cloud machine there are no others. Empty if there are none.
 */
async function ownAdmin(env: NodeJS.ProcessEnv): Promise<readonly FirstAdmin[]> {
  const { name, home: folder } = await invoker(env);
  const ssh = join(folder, '.ssh');
  const own = (await ownPublicKeys(ssh)).map(({ line }) => line);
  const admitted = own.length > 0 ? '' : await readFile(join(ssh, 'authorized_keys'), 'utf8').catch(() => '');
  const usable = [...own, ...admitted.split('\n').filter(isPlainKey)];
  if (usable.length === 0) return [];
  return [{ name: isName(name) ? name : 'admin', from: ssh, text: `${usable.join('\n')}\n` }];
}

/** Reports whether a line is a supported key without options, which mean something else here than to sshd. */
function isPlainKey(line: string): boolean {
  if (!/^(?:ssh-|ecdsa-|sk-)/.test(line)) return false;
  try {
    parseLimitedKeys(line);
    return true;
  } catch {
    return false;
  }
}
