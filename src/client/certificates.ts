/** Reads the certificates of a client from a folder: three files of the original's names, or `bundle.pem` with all. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commonNameOf } from '../domain/access/commonName.ts';
import { Failure } from '../domain/failure.ts';

export interface ClientIdentity {
  /** PEM. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  /** The admin whom the certificate names. */
  readonly name: string;
  readonly expiresAt: Date;
}

/** Rejects with `settings` if a file is missing or damaged. */
export async function readIdentity(folder: string): Promise<ClientIdentity> {
  const [authority, certificate, key] = await Promise.all(
    ['ca.crt', 'client.crt', 'client.key'].map((name) => readIfExists(join(folder, name))),
  );
  if (authority !== undefined && certificate !== undefined && key !== undefined)
    return checked(folder, { authority, certificate, key });
  const bundle = await readIfExists(join(folder, 'bundle.pem'));
  if (bundle !== undefined) return checked(folder, split(bundle));
  const missing = Object.entries({ 'ca.crt': authority, 'client.crt': certificate, 'client.key': key });
  throw new Failure('settings', {
    what: `certificates in ${folder}`,
    why: `${missing.flatMap(([name, text]) => (text === undefined ? [name] : [])).join(', ')} cannot be read`,
    next: '"cert issue carol" on the server prints them for carol; save the answer there as bundle.pem, or name another folder with --certs-dir',
  });
}

/** Takes the answer of `cert issue` apart, in any order: the CA is the certificate that signs itself. */
function split(text: string): { authority: string; certificate: string; key: string } {
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g) ?? [];
  const certificates = blocks.filter((block) => block.includes('BEGIN CERTIFICATE'));
  const isAuthority = (block: string): boolean => {
    try {
      return new X509Certificate(block).ca;
    } catch {
      return false;
    }
  };
  return {
    authority: certificates.find(isAuthority) ?? '',
    certificate: certificates.find((block) => !isAuthority(block)) ?? '',
    key: blocks.find((block) => block.includes('PRIVATE KEY')) ?? '',
  };
}

function checked(
  folder: string,
  files: { readonly authority: string; readonly certificate: string; readonly key: string },
): ClientIdentity {
  const certificate = parsed(folder, 'ca.crt or client.crt is not a certificate', () => {
    new X509Certificate(files.authority);
    return new X509Certificate(files.certificate);
  });
  const key = parsed(folder, 'client.key is not a private key', () => createPrivateKey(files.key));
  if (!certificate.checkPrivateKey(key)) throw unusable(folder, 'client.key is the key of another certificate');
  // validToDate exists since Node.js 22 only.
  const expiresAt = new Date(certificate.validTo);
  return { ...files, name: commonNameOf(certificate) ?? 'unknown', expiresAt };
}

function parsed<T>(folder: string, why: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw unusable(folder, why, error);
  }
}

function unusable(folder: string, why: string, cause?: unknown): Failure {
  const next = 'put the files of "cert issue" there again';
  return new Failure('settings', { what: `certificates in ${folder}`, why, next }, cause);
}

async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
