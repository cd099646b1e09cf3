/** OpenSSH certificates for tests, signed by ssh-keygen(1). */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { TestKey } from './keys.ts';

export interface CertificateOptions {
  /** `-n`. An empty list makes a certificate without principals. */
  readonly principals?: readonly string[];
  readonly keyId?: string;
  readonly serial?: number;
  /** `-V`. Default: from five minutes ago to an hour from now. */
  readonly validity?: string;
  /** Values of `-O`. */
  readonly options?: readonly string[];
  readonly host?: boolean;
  /** `-t`: signature algorithm, for RSA CAs. */
  readonly algorithm?: string;
}

export interface TestCertificate {
  /** Path of the file, for CertificateFile of ssh. */
  readonly path: string;
  readonly type: string;
  /** The certificate in wire format. */
  readonly blob: Buffer;
}

let made = 0;

/** Signs the public key in `line` with `ca`. */
export async function certify(
  folder: string,
  ca: Pick<TestKey, 'path'>,
  line: string,
  options: CertificateOptions = {},
): Promise<TestCertificate> {
  const base = join(folder, `certified-${++made}`);
  await writeFile(`${base}.pub`, line);
  await execa('ssh-keygen', [
    '-q',
    ...['-s', ca.path, '-I', options.keyId ?? 'test id'],
    ...(options.host === true ? ['-h'] : []),
    ...(options.principals === undefined || options.principals.length === 0
      ? []
      : ['-n', options.principals.join(',')]),
    ...(options.serial === undefined ? [] : ['-z', String(options.serial)]),
    ...(options.algorithm === undefined ? [] : ['-t', options.algorithm]),
    ...['-V', options.validity ?? '-5m:+1h'],
    ...(options.options ?? []).flatMap((option) => ['-O', option]),
    `${base}.pub`,
  ]);
  const path = `${base}-cert.pub`;
  const [type = '', base64 = ''] = (await readFile(path, 'utf8')).split(' ');
  return { path, type, blob: Buffer.from(base64, 'base64') };
}

/** Returns the output of `ssh-keygen -L` for a certificate. */
export async function describeCertificate(path: string): Promise<string> {
  return (await execa('ssh-keygen', ['-L', '-f', path])).stdout;
}
