/** The parts of ssh2's server side that its types do not show, as far as guards need them (ssh2 1.17.0, lib/server.js). */
import type { Socket } from 'node:net';
import type { Connection, ServerChannel, Session } from 'ssh2';

export interface ConnectionInternals {
  readonly _sock: Socket;
  readonly _protocol: {
    /** Handed to every decipher that is made after a key exchange. */
    _onPayload: (payload: Buffer) => unknown;
    readonly _handlers: {
      CHANNEL_DATA: (protocol: unknown, recipient: number, data: Buffer) => void;
      CHANNEL_WINDOW_ADJUST: (protocol: unknown, recipient: number, amountBytes: number) => void;
    };
    /** Called after each key exchange; the first call sends ssh2's own EXT_INFO where `_kex` says that the client understands it. */
    _onHandshakeComplete: (...args: unknown[]) => void;
    readonly _kex: { remoteExtInfoEnabled: boolean };
    readonly _packetRW: { readonly write: { readonly allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer } };
    readonly _cipher: { encrypt(packet: Buffer): void };
    /** What is sent while keys are exchanged, packet by packet; undefined otherwise. */
    readonly _queue: Buffer[] | undefined;
    /** Called with each piece of what the socket brings. */
    parse(data: Buffer, from: number, to: number): void;
    rekey(): void;
    channelClose(id: number): void;
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
