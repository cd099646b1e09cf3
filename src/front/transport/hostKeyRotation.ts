/**
 * Tells clients which host keys this server has, so that they know the next one before it is used (OpenSSH's PROTOCOL,
 * section 2.5: `hostkeys-00@openssh.com`, and `hostkeys-prove-00@openssh.com` with which a client has each new key
 * prove that the server holds it).
 */
import ssh2, { type Connection, type ParsedKey } from 'ssh2';
import { wireString } from '../../domain/keys/wire.ts';
import { internalsOf } from './internals.ts';
import { sendPacket } from './packet.ts';

const announcement = 'hostkeys-00@openssh.com';
const proof = 'hostkeys-prove-00@openssh.com';

/** SSH_MSG_GLOBAL_REQUEST (RFC 4254, section 4). */
const globalRequest = 80;

/** A client asks once, after the announcement; each proof costs signatures. */
const maxProofs = 3;

export class HostKeys {
  readonly #keys: readonly { readonly blob: Buffer; readonly key: ParsedKey }[];

  /** Private keys in OpenSSH's format, the present one first. */
  constructor(privateKeys: readonly string[]) {
    this.#keys = privateKeys.map((text) => {
      const [key] = [ssh2.utils.parseKey(text)].flat();
      if (key === undefined || key instanceof Error)
        throw new Error(`a host key cannot be read: ${key?.message ?? 'it is empty'}`);
      return { blob: key.getPublicSSH(), key };
    });
  }

  /** Call before the first key exchange. */
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
    const others = protocol._handlers.GLOBAL_REQUEST;
    protocol._handlers.GLOBAL_REQUEST = (from, name, wantReply, data) => {
      if (name !== proof || !wantReply || !internalsOf(connection).authenticated)
        return others(from, name, wantReply, data);
      const signatures = ++proofs > maxProofs ? undefined : this.#prove(data, protocol._kex.sessionID);
      if (signatures === undefined) protocol.requestFailure();
      else protocol.requestSuccess(signatures);
    };
  }

  /** One signature for each key that was asked for; nothing where one of them is not ours, or comes twice. */
  #prove(data: unknown, sessionId: Buffer): Buffer | undefined {
    const wanted = Buffer.isBuffer(data) ? strings(data, this.#keys.length) : undefined;
    if (wanted === undefined || wanted.length === 0) return undefined;
    const found = wanted.map((blob) => this.#keys.find((candidate) => candidate.blob.equals(blob)));
    if (new Set(found).size !== found.length) return undefined;
    const signatures: Buffer[] = [];
    for (const one of found) {
      if (one === undefined) return undefined;
      const signature = one.key.sign(Buffer.concat([wireString(proof), wireString(sessionId), wireString(one.blob)]));
      if (!Buffer.isBuffer(signature)) return undefined;
      signatures.push(wireString(Buffer.concat([wireString(one.key.type), wireString(signature)])));
    }
    return Buffer.concat(signatures);
  }
}

/** Length-prefixed strings of the SSH wire format (RFC 4251, section 5), `most` of them, and nothing else. */
function strings(data: Buffer, most: number): Buffer[] | undefined {
  const found: Buffer[] = [];
  for (let at = 0; at < data.length;) {
    if (at + 4 > data.length || found.length === most) return undefined;
    const end = at + 4 + data.readUInt32BE(at);
    if (end > data.length) return undefined;
    found.push(data.subarray(at + 4, end));
    at = end;
  }
  return found;
}
