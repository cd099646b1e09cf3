/**
 * The parts of ssh2's server that its types do not declare and the front uses (ssh2 1.17.0, lib/server.js, with our
 * patches).
 */
import type { Socket } from 'node:net';
import type { Connection, ServerChannel, Session } from 'ssh2';

export interface ConnectionInternals {
  readonly _sock: Socket;
  readonly authenticated: boolean;
  readonly _protocol: {
    /** Passed to each new decipher, after a key exchange. */
    _onPayload: (payload: Buffer) => unknown;
    /** Called for every message from the client outside key exchanges. */
    _onPacket: () => void;
    /** Passed to each new cipher, after a key exchange; writes to the socket. */
    _onWrite: (data: Buffer) => void;
    readonly _handlers: {
      CHANNEL_DATA: (protocol: unknown, recipient: number, data: Buffer) => void;
      CHANNEL_WINDOW_ADJUST: (protocol: unknown, recipient: number, amountBytes: number) => void;
      CHANNEL_OPEN: (protocol: unknown, info: { readonly type: string }) => void;
      CHANNEL_REQUEST: (protocol: unknown, recipient: number, type: string, wantReply: boolean, data: unknown) => void;
      GLOBAL_REQUEST: (protocol: unknown, name: string, wantReply: boolean, data: unknown) => void;
    };
    /** This side's KEXINIT, from when it is sent until the exchange is complete. */
    readonly _kexinit: Buffer | undefined;
    /** Packets written during a key exchange; sent when it is complete. */
    _queue: Buffer[] | undefined;
    /** Called after each key exchange. */
    _onHandshakeComplete: (...args: unknown[]) => void;
    readonly _kex: { readonly sessionID: Buffer };
    readonly _packetRW: {
      readonly write: {
        readonly allocStart: number;
        readonly allocStartKEX: number;
        alloc(size: number, force?: boolean): Buffer;
        finalize(packet: Buffer, force?: boolean): Buffer;
      };
    };
    readonly _cipher: { encrypt(packet: Buffer): void };
    /** Called with each chunk from the socket. */
    parse(data: Buffer, from: number, to: number): void;
    rekey(): void;
    channelClose(id: number): void;
    requestSuccess(data: Buffer): void;
    requestFailure(): void;
    channelOpenFail(recipient: number, reason: number, description: string): void;
  };
  readonly _chanMgr: {
    get(id: number): unknown;
    remove(id: number): void;
  };
}

export interface SessionInternals {
  readonly _chanInfo: {
    readonly incoming: { readonly id: number };
    readonly outgoing: { readonly id: number; readonly packetSize: number };
  };
  readonly _channel?: ServerChannel;
}

export function internalsOf(connection: Connection): ConnectionInternals {
  return connection as unknown as ConnectionInternals;
}

export function sessionInternals(session: Session): SessionInternals {
  return session as unknown as SessionInternals;
}
