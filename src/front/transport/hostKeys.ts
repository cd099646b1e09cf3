/**
 * Announces this server's host keys, so that clients know the next key before it is used (OpenSSH's PROTOCOL, section
 * 2.5). `hostkeys-00@openssh.com` lists the keys; with `hostkeys-prove-00@openssh.com` a client asks for a proof that
 * the server holds each new one.
 */
import ssh2, { type Connection, type ParsedKey } from 'ssh2';
import { wireString } from '../../domain/keys/wire.ts';
import { internalsOf } from './internals.ts';
import { sendPacket } from './packet.ts';

const announcement = 'hostkeys-00@openssh.com';
const proof = 'hostkeys-prove-00@openssh.com';

/** SSH_MSG_GLOBAL_REQUEST (RFC 4254, section 4). */
const globalRequest = 80;

/** Proofs for each connection. Clients ask once, after the announcement, and each proof costs signatures. */
const maxProofs = 3;

export class HostKeys {
  readonly #keys: readonly { readonly blob: Buffer; readonly key: ParsedKey }[];

  /** Takes private keys in OpenSSH's format, the current one first. */
  constructor(privateKeys: readonly string[]) {
    this.#keys = privateKeys.map((text) => {
      const [key] = [ssh2.utils.parseKey(text)].flat();
      if (key === undefined || key instanceof Error)
        throw new Error(`a host key cannot be read: ${key?.message ?? 'it is empty'}`);
      return { blob: key.getPublicSSH(), key };
    });
  }

  /** Announces the keys after the login and answers requests for proof. Call before the first key exchange. */
  announce(connection: Connection): void {
    const { _protocol: protocol } = internalsOf(connection);
    let proofs = 0;
    connection.on('ready', () => {
      const payload = [
        Buffer.from([globalRequest]),
        wireString(announcement),
        Buffer.from([0]),
        ...this.#keys.map(({ blob }) => wireString(blob)),
      ];
      sendPacket(connection, Buffer.concat(payload));
    });
    const handle = protocol._handlers.GLOBAL_REQUEST;
    protocol._handlers.GLOBAL_REQUEST = (from, name, wantReply, data) => {
      if (name !== proof || !wantReply || !internalsOf(connection).authenticated)
        return handle(from, name, wantReply, data);
      const signatures = ++proofs > maxProofs ? undefined : this.#prove(data, protocol._kex.sessionID);
      if (signatures === undefined) protocol.requestFailure();
      else protocol.requestSuccess(signatures);
    };
  }

  /** Returns a signature for each requested key, or `undefined` if a key is unknown or requested twice. */
  #prove(data: unknown, sessionId: Buffer): Buffer | undefined {
    const wanted = Buffer.isBuffer(data) ? strings(data, this.#keys.length) : undefined;
    if (wanted === undefined || wanted.length === 0) return undefined;
    const found = wanted.map((blob) => this.#keys.find((candidate) => candidate.blob.equals(blob)));
    if (new Set(found).size !== found.length) return undefined;
    const signatures: Buffer[] = [];
    for (const hostKey of found) {
      if (hostKey === undefined) return undefined;
      const { key, blob } = hostKey;
      const signature = key.sign(Buffer.concat([wireString(proof), wireString(sessionId), wireString(blob)]));
      if (!Buffer.isBuffer(signature)) return undefined;
      signatures.push(wireString(Buffer.concat([wireString(key.type), wireString(signature)])));
    }
    return Buffer.concat(signatures);
  }
}

/** Splits data into length-prefixed strings (RFC 4251, section 5). Returns `undefined` if there are more than `max`. */
function strings(data: Buffer, max: number): Buffer[] | undefined {
  const found: Buffer[] = [];
  for (let at = 0; at < data.length;) {
    if (at + 4 > data.length || found.length === max) return undefined;
    const end = at + 4 + data.readUInt32BE(at);
    if (end > data.length) return undefined;
    found.push(data.subarray(at + 4, end));
    at = end;
  }
  return found;
}
