/**
 * A client for the unencrypted part of an SSH connection, up to the end of the first key exchange (RFC 4253, sections 4
 * to 8). It sends arbitrary packets.
 */
import {
  createHash,
  createPublicKey,
  decapsulate,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  verify,
} from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { boolean, string, stringAt, uint32 } from './rawClient.ts';
import { eventually } from './server.ts';

export const kexMessage = {
  disconnect: 1,
  ignore: 2,
  debug: 4,
  kexInit: 20,
  newKeys: 21,
  exchangeInit: 30,
  exchangeReply: 31,
} as const;

export interface Proposal {
  readonly kex: readonly string[];
  readonly hostKey?: readonly string[];
  /** Announces that a guessed first packet of the key exchange follows. */
  readonly follows?: boolean;
}

const mlKemSpki = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');
const x25519Spki = Buffer.from('302a300506032b656e032100', 'hex');
const ed25519Spki = Buffer.from('302a300506032b6570032100', 'hex');

export class PlainClient {
  /** Payloads of all packets from the server. */
  readonly received: Buffer[] = [];
  closed = false;
  readonly ident = 'SSH-2.0-plain';
  serverIdent = '';
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #kexInit = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => (this.closed = true));
    socket.on('data', (data: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, data]);
      this.#read();
    });
  }

  static async connect(port: number): Promise<PlainClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new PlainClient(socket);
    await once(socket, 'connect');
    return client;
  }

  write(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  hello(): void {
    this.write(`${this.ident}\r\n`);
  }

  /** Sends a packet (RFC 4253, section 6). */
  send(type: number, ...fields: readonly Buffer[]): void {
    const payload = Buffer.concat([Buffer.from([type]), ...fields]);
    const padding = 8 - ((payload.length + 5) % 8) + 8;
    this.write(
      Buffer.concat([uint32(payload.length + padding + 1), Buffer.from([padding]), payload, Buffer.alloc(padding)]),
    );
  }

  propose({ kex, hostKey = ['ssh-ed25519'], follows = false }: Proposal): void {
    const ciphers = string('chacha20-poly1305@openssh.com');
    const macs = string('hmac-sha2-256-etm@openssh.com');
    const none = string('none');
    const empty = string('');
    const fields = [
      randomBytes(16),
      string(kex.join(',')),
      string(hostKey.join(',')),
      ...[ciphers, ciphers, macs, macs, none, none, empty, empty],
      boolean(follows),
      uint32(0),
    ];
    this.#kexInit = Buffer.concat([Buffer.from([kexMessage.kexInit]), ...fields]);
    this.send(kexMessage.kexInit, ...fields);
  }

  async take(type: number): Promise<Buffer> {
    return eventually(() => {
      const found = this.received.find(([first]) => first === type);
      if (found === undefined && this.closed) throw new Error('the server closed the connection');
      return found;
    }, `a packet of type ${type}`);
  }

  async ends(): Promise<void> {
    await eventually(() => (this.closed ? true : undefined), 'the server closes the connection');
  }

  has(type: number): boolean {
    return this.received.some(([first]) => first === type);
  }

  /** Returns a new X25519 public key, as curve25519-sha256 sends it. */
  static x25519(): Buffer {
    return generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(x25519Spki.length);
  }

  /**
   * Runs mlkem768x25519-sha256 as the client (draft-ietf-sshm-mlkem-hybrid-kex). Verifies the server's signature of the
   * exchange, and resolves to true if both sides have the same secret.
   */
  async exchangeMlKem(): Promise<boolean> {
    this.hello();
    this.propose({ kex: ['mlkem768x25519-sha256', 'kex-strict-c-v00@openssh.com'] });
    const mlKem = generateKeyPairSync('ml-kem-768');
    const classical = generateKeyPairSync('x25519');
    const init = Buffer.concat([
      mlKem.publicKey.export({ type: 'spki', format: 'der' }).subarray(mlKemSpki.length),
      classical.publicKey.export({ type: 'spki', format: 'der' }).subarray(x25519Spki.length),
    ]);
    const theirKexInit = await this.take(kexMessage.kexInit);
    this.send(kexMessage.exchangeInit, string(init));
    const reply = await this.take(kexMessage.exchangeReply);
    const hostKey = stringAt(reply, 1);
    const answer = stringAt(reply, 5 + hostKey.length);
    const signature = stringAt(reply, 9 + hostKey.length + answer.length);
    if (answer.length !== 1088 + 32) return false;
    const theirs = createPublicKey({
      key: Buffer.concat([x25519Spki, answer.subarray(1088)]),
      type: 'spki',
      format: 'der',
    });
    const secret = sha256(
      decapsulate(mlKem.privateKey, answer.subarray(0, 1088)),
      diffieHellman({ privateKey: classical.privateKey, publicKey: theirs }),
    );
    const hashed = [
      Buffer.from(this.ident),
      Buffer.from(this.serverIdent),
      this.#kexInit,
      theirKexInit,
      hostKey,
      init,
      answer,
      secret,
    ];
    const exchangeHash = sha256(...hashed.map((part) => string(part)));
    const point = stringAt(hostKey, 4 + stringAt(hostKey, 0).length);
    const key = createPublicKey({ key: Buffer.concat([ed25519Spki, point]), type: 'spki', format: 'der' });
    return verify(null, exchangeHash, key, stringAt(signature, 4 + stringAt(signature, 0).length));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(): void {
    if (this.serverIdent === '') {
      const end = this.#bytes.indexOf('\r\n');
      if (end === -1) return;
      this.serverIdent = this.#bytes.subarray(0, end).toString();
      this.#bytes = this.#bytes.subarray(end + 2);
    }
    // All data after NEWKEYS is encrypted.
    while (this.#bytes.length > 5 && !this.has(kexMessage.newKeys)) {
      const length = this.#bytes.readUInt32BE(0);
      if (this.#bytes.length < 4 + length) return;
      this.received.push(Buffer.from(this.#bytes.subarray(5, 4 + length - (this.#bytes[4] ?? 0))));
      this.#bytes = this.#bytes.subarray(4 + length);
    }
  }
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
