/**
 * An SSH client that sends arbitrary packets: ssh2's transport (key exchange, encryption) and nothing above it. Stock
 * clients are too well behaved for most attacks.
 */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import ssh2, { type ParsedKey } from 'ssh2';
import { eventually } from './eventually.ts';
import type { TestKey } from './keys.ts';

interface Protocol {
  _onPayload: (payload: Buffer) => unknown;
  readonly _kex: { readonly sessionID: Buffer };
  readonly _kexinit: Buffer | undefined;
  readonly _cipher: { encrypt(packet: Buffer): void };
  readonly _packetRW: {
    readonly write: { allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer };
  };
  start(): void;
  parse(data: Buffer, from: number, to: number): void;
  rekey(): void;
}

type ProtocolClass = new (options: {
  ident: string;
  onWrite: (data: Buffer) => void;
  onError: (error: Error) => void;
  onHeader: (header: { versions: { software: string } }) => void;
  onHandshakeComplete: () => void;
  hostVerifier: (key: Buffer, verify: (accept: boolean) => void) => void;
}) => Protocol;

// Not part of ssh2's public interface. The version is pinned.
const require = createRequire(import.meta.url);
const ProtocolOfSsh2 = require('ssh2/lib/protocol/Protocol.js') as ProtocolClass;
const { init } = require('ssh2/lib/protocol/crypto.js') as { init: Promise<void> };

/** Message numbers (RFC 4250, section 4.1.2). */
export const message = {
  disconnect: 1,
  ignore: 2,
  serviceRequest: 5,
  serviceAccept: 6,
  userauthRequest: 50,
  userauthFailure: 51,
  userauthSuccess: 52,
  userauthBanner: 53,
  userauthPkOk: 60,
  globalRequest: 80,
  requestSuccess: 81,
  requestFailure: 82,
  channelOpen: 90,
  channelOpenConfirmation: 91,
  channelOpenFailure: 92,
  channelWindowAdjust: 93,
  channelData: 94,
  channelExtendedData: 95,
  channelEof: 96,
  channelClose: 97,
  channelRequest: 98,
  channelSuccess: 99,
  channelFailure: 100,
} as const;

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

export function boolean(value: boolean): Buffer {
  return Buffer.from([value ? 1 : 0]);
}

/** Returns the string at `offset` of a packet. */
export function stringAt(packet: Buffer, offset: number): Buffer {
  return packet.subarray(offset + 4, offset + 4 + packet.readUInt32BE(offset));
}

export class RawClient {
  /** Payloads of all packets from the server, beginning with the message number. */
  readonly received: Buffer[] = [];
  /** Software version in the server's identification line. */
  ident = '';
  closed = false;
  readonly socket: Socket;
  readonly #protocol: Protocol;
  readonly #waiting = new Set<() => void>();
  #handshake: (() => void) | undefined;
  #isStalling = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#protocol = new ProtocolOfSsh2({
      ident: 'test',
      onWrite: (data) => {
        if (!socket.destroyed && socket.writable) socket.write(data);
      },
      onError: () => socket.destroy(),
      onHeader: ({ versions }) => (this.ident = versions.software),
      onHandshakeComplete: () => this.#handshake?.(),
      hostVerifier: (_key, verify) => verify(true),
    });
    // Set before the key exchange, whose ciphers read the handler here. Later key exchanges start with an ordinary
    // packet (20, KEXINIT).
    const handle = this.#protocol._onPayload;
    this.#protocol._onPayload = (payload) => {
      if (payload[0] === 20 && !this.#isStalling) return handle(payload);
      this.received.push(Buffer.from(payload));
      this.#changed();
      return undefined;
    };
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#changed();
    });
    socket.on('data', (data: Buffer) => {
      try {
        this.#protocol.parse(data, 0, data.length);
      } catch {
        socket.destroy();
      }
    });
  }

  /** Connects from the local address `from` and exchanges keys. */
  static async connect(port: number, from?: string): Promise<RawClient> {
    await init;
    const socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      ...(from === undefined ? {} : { localAddress: from }),
    });
    await once(socket, 'connect');
    const client = new RawClient(socket);
    const done = new Promise<void>((resolve, reject) => {
      client.#handshake = resolve;
      socket.once('close', () => reject(new Error('the server closed the connection')));
    });
    client.#protocol.start();
    await done;
    return client;
  }

  get sessionId(): Buffer {
    return this.#protocol._kex.sessionID;
  }

  /** Sends a packet with a message number and encoded fields. */
  send(type: number, ...fields: readonly Buffer[]): void {
    const payload = Buffer.concat([Buffer.from([type]), ...fields]);
    const { write } = this.#protocol._packetRW;
    const packet = write.alloc(payload.length);
    packet.set(payload, write.allocStart);
    this.#protocol._cipher.encrypt(write.finalize(packet));
  }

  /** Sends several packets in one segment. */
  together(packets: () => void): void {
    this.socket.cork();
    packets();
    this.socket.uncork();
  }

  /** Removes the first received packet of these types, or waits for one. Rejects if the connection closes first. */
  async take(...types: readonly number[]): Promise<Buffer> {
    const limitMs = 20_000;
    const deadline = performance.now() + limitMs;
    for (;;) {
      const at = this.received.findIndex((packet) => types.includes(packet[0] ?? -1));
      const [found] = at === -1 ? [] : this.received.splice(at, 1);
      if (found !== undefined) return found;
      if (this.closed)
        throw new Error(`the connection closed; received: ${this.received.map((packet) => packet[0]).join(', ')}`);
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`no packet of type ${types.join(' or ')} came within ${limitMs / 1000} s`);
      await this.changes(leftMs);
    }
  }

  /** Resolves on the next packet, at the end of the connection, or after `limitMs`. */
  changes(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      this.#waiting.add(done);
    });
  }

  #changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  async ends(): Promise<void> {
    await eventually(() => (this.closed ? true : undefined), 'the server closes the connection');
  }

  async requestAuthentication(): Promise<void> {
    this.send(message.serviceRequest, string('ssh-userauth'));
    await this.take(message.serviceAccept);
  }

  /** Sends an authentication request. Resolves to the message number of the answer. */
  async tryLogin(user: string, method: string, ...fields: readonly Buffer[]): Promise<number> {
    this.send(message.userauthRequest, string(user), string('ssh-connection'), string(method), ...fields);
    const [type] = await this.take(
      message.userauthFailure,
      message.userauthSuccess,
      message.userauthPkOk,
      message.disconnect,
    );
    return type ?? -1;
  }

  /** Requests a login with a key. Only offers the key if there is no `signer`. */
  async tryKey(user: string, algorithm: string, blob: Buffer, signer?: (data: Buffer) => Buffer): Promise<number> {
    const fields = [boolean(signer !== undefined), string(algorithm), string(blob)];
    if (signer === undefined) return this.tryLogin(user, 'publickey', ...fields);
    return this.tryLogin(user, 'publickey', ...fields, string(signer(this.signedForLogin(user, algorithm, blob))));
  }

  /** Returns the data that a login signs (RFC 4252, section 7). */
  signedForLogin(user: string, algorithm: string, blob: Buffer): Buffer {
    return Buffer.concat([
      string(this.sessionId),
      Buffer.from([message.userauthRequest]),
      ...[string(user), string('ssh-connection'), string('publickey')],
      ...[boolean(true), string(algorithm), string(blob)],
    ]);
  }

  /** Requests a login with a key, or only offers the key, without waiting for the answer. */
  sendLogin(user: string, algorithm: string, blob: Buffer, signature: Buffer | undefined): void {
    const fields = [
      boolean(signature !== undefined),
      string(algorithm),
      string(blob),
      ...(signature === undefined ? [] : [string(signature)]),
    ];
    this.send(message.userauthRequest, string(user), string('ssh-connection'), string('publickey'), ...fields);
  }

  /** Connects and logs in with an ed25519 key. */
  static async login(port: number, key: TestKey, user = 'manage', from?: string): Promise<RawClient> {
    const client = await RawClient.connect(port, from);
    await client.requestAuthentication();
    const answer = await client.tryKey(user, 'ssh-ed25519', key.blob, ed25519Signer(key));
    if (answer !== message.userauthSuccess) throw new Error(`the server answered the login with message ${answer}`);
    return client;
  }

  /** Opens a session channel. Resolves to the server's number of the channel. */
  async openSession(options: { id?: number; window?: number; packetSize?: number } = {}): Promise<number> {
    const { id = 0, window = 2 * 1024 * 1024, packetSize = 32 * 1024 } = options;
    this.send(message.channelOpen, string('session'), uint32(id), uint32(window), uint32(packetSize));
    const answer = await this.take(message.channelOpenConfirmation, message.channelOpenFailure);
    if (answer[0] !== message.channelOpenConfirmation) throw new Error('the session was refused');
    return answer.readUInt32BE(5);
  }

  request(channel: number, type: string, ...fields: readonly Buffer[]): void {
    this.send(message.channelRequest, uint32(channel), string(type), boolean(true), ...fields);
  }

  /** Sends a channel request. Resolves to whether the server accepted it. */
  async granted(channel: number, type: string, ...fields: readonly Buffer[]): Promise<boolean> {
    this.request(channel, type, ...fields);
    const [answer] = await this.take(message.channelSuccess, message.channelFailure);
    return answer === message.channelSuccess;
  }

  /** Requests a terminal. Resolves to whether the server accepted it. */
  requestTerminal(channel: number, type = 'xterm', columns = 80, rows = 24, modes?: Buffer): Promise<boolean> {
    const size = [columns, rows, 0, 0].map(uint32);
    return this.granted(channel, 'pty-req', string(type), ...size, string(modes ?? ''));
  }

  /** Opens a shell on a terminal and waits for its prompt. Resolves to the server's number of the channel. */
  async openShell(options: { id?: number; window?: number; columns?: number; rows?: number } = {}): Promise<number> {
    const channel = await this.openSession(options);
    const accepted =
      (await this.requestTerminal(channel, 'xterm', options.columns, options.rows)) &&
      (await this.granted(channel, 'shell'));
    if (!accepted) throw new Error('the shell was refused');
    await eventually(() => (this.output().includes('›') ? true : undefined), 'a prompt');
    return channel;
  }

  /** Returns the standard output of all sessions so far. */
  output(): string {
    return Buffer.concat(
      this.received.filter((packet) => packet[0] === message.channelData).map((packet) => stringAt(packet, 5)),
    ).toString();
  }

  /** Waits for the exit status. */
  async exitStatus(): Promise<number> {
    return eventually(() => {
      const found = this.received.find(
        (packet) => packet[0] === message.channelRequest && stringAt(packet, 5).toString() === 'exit-status',
      );
      if (found === undefined && this.closed) throw new Error('the connection closed without an exit status');
      return found?.readUInt32BE(found.length - 4);
    }, 'an exit status');
  }

  rekey(): void {
    this.#protocol.rekey();
  }

  /** Begins a key exchange and never completes it. The server's KEXINIT is added to the received packets. */
  async beginKeyExchange(): Promise<void> {
    await this.#settled();
    this.#isStalling = true;
    this.#protocol.rekey();
  }

  /** From now on ignores key exchanges. The server's KEXINIT is added to the received packets. */
  ignoreKeyExchanges(): void {
    this.#isStalling = true;
  }

  /** Exchanges new keys. Resolves when they are in use. */
  async rekeyed(): Promise<void> {
    await this.#settled();
    await new Promise<void>((resolve) => {
      this.#handshake = resolve;
      if (!this.closed) this.#protocol.rekey();
    });
  }

  /** Waits for the end of the last key exchange. ssh2 reports it too early, and starts no other until then. */
  async #settled(): Promise<void> {
    while (this.#protocol._kexinit !== undefined && !this.closed) await new Promise((resolve) => setImmediate(resolve));
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Returns a function that signs with an ed25519 key and returns the signature field. */
export function ed25519Signer(key: TestKey): (data: Buffer) => Buffer {
  const parsed = ssh2.utils.parseKey(key.private) as ParsedKey | Error | ParsedKey[];
  if (parsed instanceof Error) throw parsed;
  const [first] = [parsed].flat();
  return (data) => {
    const signature = first?.sign(data);
    if (!(signature instanceof Buffer)) throw new Error('not signed');
    return Buffer.concat([string('ssh-ed25519'), string(signature)]);
  };
}

/** A software security key (OpenSSH PROTOCOL.u2f). */
export interface SecurityKey {
  readonly type: string;
  readonly blob: Buffer;
  /** The public key as a line. */
  readonly line: string;
  /** Returns a signer that sets `flags`: 1 for a touch, 4 for user verification. */
  readonly signer: (flags: number) => (data: Buffer) => Buffer;
}

export function makeSecurityKey(kind: 'ed25519' | 'ecdsa', comment: string, application = 'ssh:'): SecurityKey {
  let counter = 0;
  const { type, point, privateKey } = kind === 'ed25519' ? softEd25519() : softP256();
  const blob = Buffer.concat([
    string(type),
    ...(kind === 'ecdsa' ? [string('nistp256')] : []),
    string(point),
    string(application),
  ]);
  const signer = (flags: number) => (data: Buffer) => {
    const tail = Buffer.concat([Buffer.from([flags]), uint32(++counter)]);
    const signed = Buffer.concat([sha256(Buffer.from(application)), tail, sha256(data)]);
    if (kind === 'ed25519') return Buffer.concat([string(type), string(sign(null, signed, privateKey)), tail]);
    const raw = sign('sha256', signed, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return Buffer.concat([
      string(type),
      string(Buffer.concat([mpint(raw.subarray(0, 32)), mpint(raw.subarray(32))])),
      tail,
    ]);
  };
  return { type, blob, line: `${type} ${blob.toString('base64')} ${comment}\n`, signer };
}

function softEd25519(): { type: string; point: Buffer; privateKey: KeyObject } {
  const { privateKey } = generateKeyPairSync('ed25519');
  return {
    type: 'sk-ssh-ed25519@openssh.com',
    point: Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
    privateKey,
  };
}

function softP256(): { type: string; point: Buffer; privateKey: KeyObject } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = privateKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return { type: 'sk-ecdsa-sha2-nistp256@openssh.com', point, privateKey };
}

/**
 * Encodes an unsigned number as an mpint: no leading zeros, except one if the first bit is set (RFC 4251, section 5).
 */
function mpint(bytes: Buffer): Buffer {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  const rest = bytes.subarray(at);
  return string((rest[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), rest]) : rest);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
