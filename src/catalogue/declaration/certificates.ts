/** Schemas of what the verbs about certificates take: names of a server, and a CA as PEM. */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { parseSpan } from '../../domain/values/duration.ts';
import { parsedBy } from './schema.ts';

/** Splits a value that may name several: `10.0.0.5,10.0.0.6`. */
export const several = <T>(one: (text: string) => T) =>
  z
    .array(parsedBy((text) => text.split(',').map((word) => one(word.trim())), 4096))
    .max(64)
    .transform((lists) => lists.flat());

export function ipAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new Failure('usage', {
    what: `address ${quoted(text)}`,
    why: 'not an IP address',
    next: 'use --server-name for a name',
  });
}

/** A host name (RFC 1123); a star stands for one label (RFC 9525). */
export function hostName(text: string): string {
  if (
    /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(text) &&
    isIP(text) === 0
  )
    return text.toLowerCase();
  throw new Failure('usage', {
    what: `host name ${quoted(text)}`,
    why: 'not a host name',
    next: isIP(text) === 0 ? 'for example jump.example.org' : 'use --server-ip for an address',
  });
}

/** Hours, days or weeks; the original's `8760h` too. */
export const duration = parsedBy((text) => parseSpan(text));

const block = (kind: string): RegExp => new RegExp(`-----BEGIN ${kind}-----[^-]+-----END ${kind}-----`);
/** One PEM block. The journal keeps the fingerprint only. */
function pem(what: string, kind: string) {
  return parsedBy((text) => {
    const [found] = block(kind).exec(text) ?? [];
    if (found === undefined)
      throw new Failure('usage', {
        what: `the ${what} of the CA`,
        why: 'it is not an unencrypted PEM file',
        next: 'name a file that begins with -----BEGIN',
      });
    return { pem: `${found}\n`, fingerprint: fingerprintOf(found) };
  }, 65_536);
}

function fingerprintOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** A CA's certificate and key in one text. The journal keeps the fingerprint only. */
export const authority = parsedBy((text) => {
  const [certificate] = block('CERTIFICATE').exec(text) ?? [];
  const [key] = block('(?:RSA )?PRIVATE KEY').exec(text) ?? [];
  if (certificate === undefined || key === undefined)
    throw new Failure('usage', {
      what: 'the CA',
      why: 'its certificate and its unencrypted private key are needed, both as PEM',
      next: 'send both on standard input, or name the files with --ca-cert and --ca-key',
    });
  return { certificate: `${certificate}\n`, key: `${key}\n`, fingerprint: fingerprintOf(certificate) };
}, 65_536);

export const certificateText = pem('certificate', 'CERTIFICATE');
export const keyText = pem('key', '(?:RSA )?PRIVATE KEY');

export const organization = parsedBy((text) => {
  if (/^[^\p{Cc}]{1,64}$/u.test(text) && text.trim() !== '') return text;
  throw new Failure('usage', {
    what: 'the organisation',
    why: 'it must have 1 to 64 printable characters',
    next: 'use a short name',
  });
});
