/**
 * The stock ssh-keygen as the oracle of the key tests, and hand-made keys of the types that it cannot create without a
 * FIDO device.
 */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Returns concatenated `string` fields (RFC 4251 section 5). */
export function fields(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const data = Buffer.from(part as string);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(data.length);
      return [length, data];
    }),
  );
}

export function lineOf(type: string, blob: Buffer, comment = ''): string {
  return `${type} ${blob.toString('base64')}${comment === '' ? '' : ` ${comment}`}`;
}

/** Returns a random point on the curve, uncompressed. */
export function ecPoint(curve: 'P-256' | 'P-384' | 'P-521'): Buffer {
  const jwk = generateKeyPairSync('ec', { namedCurve: curve }).publicKey.export({ format: 'jwk' });
  return Buffer.concat([
    Buffer.from([4]),
    Buffer.from(jwk.x ?? '', 'base64url'),
    Buffer.from(jwk.y ?? '', 'base64url'),
  ]);
}

export function ed25519Blob(key = randomBytes(32)): Buffer {
  return fields('ssh-ed25519', key);
}

export function skEd25519Blob(application: string | Buffer = 'ssh:'): Buffer {
  return fields('sk-ssh-ed25519@openssh.com', randomBytes(32), application);
}

export function skEcdsaBlob(application = 'ssh:'): Buffer {
  return fields('sk-ecdsa-sha2-nistp256@openssh.com', 'nistp256', ecPoint('P-256'), application);
}

/** A temporary folder for keys made by ssh-keygen. */
export class KeyFolder {
  readonly #path = mkdtempSync(join(tmpdir(), 'containarium-keys-'));

  /** Runs ssh-keygen in the folder and returns its output. */
  run(...args: string[]): string {
    return execFileSync('ssh-keygen', args, { cwd: this.#path, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Makes a key pair and returns the public line. */
  make(name: string, type: string, bits?: number, comment = `${name}@example`): string {
    this.run(
      '-q',
      '-t',
      type,
      ...(bits === undefined ? [] : ['-b', String(bits)]),
      '-N',
      '',
      '-C',
      comment,
      '-f',
      name,
    );
    return this.read(`${name}.pub`);
  }

  read(name: string): string {
    return readFileSync(join(this.#path, name), 'utf8');
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.#path, name), text);
  }

  /** Returns the output of `ssh-keygen -l` for one public line. */
  describe(line: string): { bits: number; fingerprint: string } {
    this.write('described.pub', `${line}\n`);
    const [bits = '', fingerprint = ''] = this.run('-l', '-f', 'described.pub').split(' ');
    return { bits: Number(bits), fingerprint };
  }

  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}
