/** OpenSSH certificates for tests, signed by ssh-keygen(1). */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { TestKey } from './keys.ts';

export interface CertificateWishes {
  /** `-n`; none of them: a certificate without principals. */
  readonly principals?: readonly string[];
  readonly keyId?: string;
  readonly serial?: number;
  /** `-V`; by default from five minutes ago for an hour. */
  readonly validity?: string;
  /** `-O`, each. */
  readonly options?: readonly string[];
  readonly host?: boolean;
  /** `-t`: the algorithm of the signature, for RSA authorities. */
  readonly algorithm?: string;
}

export interface TestCertificate {
  /** The file, for ssh's CertificateFile. */
  readonly path: string;
  readonly type: string;
  /** The wire form. */
  readonly blob: Buffer;
}

let made = 0;

/** Has `authority` certify the public key in `line`. */
export async function certify(
  folder: string,
  ca: Pick<TestKey, 'path'>,
  line: string,
  wishes: CertificateWishes = {},
): Promise<TestCertificate> {
  const base = join(folder, `certified-${++made}`);
  await writeFile(`${base}.pub`, line);
  await execa('ssh-keygen', [
    '-q',
    ...['-s', ca.path, '-I', wishes.keyId ?? 'test id'],
    ...(wishes.host === true ? ['-h'] : []),
    ...(wishes.principals === undefined || wishes.principals.length === 0 ? [] : ['-n', wishes.principals.join(',')]),
    ...(wishes.serial === undefined ? [] : ['-z', String(wishes.serial)]),
    ...(wishes.algorithm === undefined ? [] : ['-t', wishes.algorithm]),
    ...['-V', wishes.validity ?? '-5m:+1h'],
    ...(wishes.options ?? []).flatMap((option) => ['-O', option]),
    `${base}.pub`,
  ]);
  const path = `${base}-cert.pub`;
  const [type = '', base64 = ''] = (await readFile(path, 'utf8')).split(' ');
  return { path, type, blob: Buffer.from(base64, 'base64') };
}

/** What `ssh-keygen -L` says of a certificate. */
export async function describeCertificate(path: string): Promise<string> {
  return (await execa('ssh-keygen', ['-L', '-f', path])).stdout;
}
