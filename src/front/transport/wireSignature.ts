/**
 * Restores a login's signature as the client sent it (RFC 4253, section 6.6). ssh2 strips the name of the algorithm if
 * it equals the name in the request, which for certificates it does not, and converts the two numbers of ECDSA to DER.
 */
import { WireFault, wireString } from '../../domain/keys/wire.ts';

export function wireSignature(algorithm: string, signature: Buffer): Buffer {
  if (algorithm.includes('-cert-v01@')) return signature;
  const name = wireString(algorithm);
  // A FIDO signature ends with one byte of flags and a counter of four (OpenSSH's PROTOCOL.u2f).
  if (algorithm.startsWith('sk-'))
    return Buffer.concat([name, wireString(signature.subarray(0, -5)), signature.subarray(-5)]);
  return Buffer.concat([name, wireString(algorithm.startsWith('ecdsa-') ? numbersOf(signature) : signature)]);
}

/** Converts the DER sequence of r and s (X.690, 8.9) to the two strings of RFC 5656, section 3.1.2. */
function numbersOf(der: Buffer): Buffer {
  const body = element(der, 0x30, 0);
  const r = element(body.value, 0x02, 0);
  const s = element(body.value, 0x02, r.end);
  return Buffer.concat([wireString(r.value), wireString(s.value)]);
}

function element(bytes: Buffer, tag: number, at: number): { value: Buffer; end: number } {
  const first = bytes[at + 1] ?? 0;
  const longForm = first > 0x80 ? first - 0x80 : 0;
  const start = at + 2 + longForm;
  const length =
    longForm === 0 ? first : longForm <= 2 && start <= bytes.length ? bytes.readUIntBE(at + 2, longForm) : Number.NaN;
  const end = start + length;
  if (bytes[at] !== tag || !(end <= bytes.length)) throw new WireFault('the signature is not DER');
  return { value: bytes.subarray(start, end), end };
}
