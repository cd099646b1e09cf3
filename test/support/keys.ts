/** Key pairs for tests, made by ssh-keygen(1). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

export interface TestKey {
  /** Path of the private key file. */
  readonly path: string;
  /** Contents of the .pub file: type, base64, comment, line feed. */
  readonly line: string;
  readonly type: string;
  /** The public key in wire format. */
  readonly blob: Buffer;
  readonly fingerprint: string;
  /** Contents of the private key file. */
  readonly private: string;
}

/** Makes a key pair without a passphrase in `folder`. */
export async function makeKey(
  folder: string,
  name: string,
  options: { type?: string; bits?: number; comment?: string } = {},
): Promise<TestKey> {
  const path = join(folder, name);
  const bits = options.bits === undefined ? [] : ['-b', String(options.bits)];
  await execa('ssh-keygen', [
    '-q',
    '-t',
    options.type ?? 'ed25519',
    ...bits,
    '-N',
    '',
    '-C',
    options.comment ?? `${name}@laptop`,
    '-f',
    path,
  ]);
  const line = await readFile(`${path}.pub`, 'utf8');
  const [type = '', base64 = ''] = line.split(' ');
  const { stdout } = await execa('ssh-keygen', ['-l', '-f', `${path}.pub`]);
  return {
    path,
    line,
    type,
    blob: Buffer.from(base64, 'base64'),
    fingerprint: stdout.split(' ')[1] ?? '',
    private: await readFile(path, 'utf8'),
  };
}
