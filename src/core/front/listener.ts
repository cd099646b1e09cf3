/**
 * The SSH port. core binds it and the front accepts on it: the front needs no privilege for any port, and while one
 * front is replaced by the next, who connects waits in the kernel's queue instead of being refused.
 */
import net, { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { Failure } from '../../domain/failure.ts';
import type { Listening } from '../../protocol/messages.ts';

/** What node:net wraps a socket in, as far as it is used here. */
interface SocketHandle {
  /** Fills in where it is bound; returns 0 or a negative errno. */
  getsockname(out: { address?: string; port?: number }): number;
  close(): void;
}

/**
 * Node.js binds and listens in one step everywhere but here, where its own cluster module does it. A net.Server that
 * listens in core would also accept in core. Returns a negative errno where it fails.
 */
const createServerHandle = (
  net as unknown as {
    readonly _createServerHandle: (address: string, port: number, addressType: 4 | 6) => SocketHandle | number;
  }
)._createServerHandle;

export interface Listener {
  /** For the `stdio` of spawn: the child gets the socket itself. */
  readonly handle: unknown;
  readonly where: Listening;
  close(): void;
}

/**
 * Binds; connections are taken once a front listens. Port 0 takes a free one. Throws `settings` where it cannot be had.
 */
export function bindPort({ address, port }: Listening): Listener {
  const handle = createServerHandle(address, port, isIPv6(address) ? 6 : 4);
  if (typeof handle === 'number') throw unusable({ address, port }, handle);
  const bound: { address?: string; port?: number } = {};
  // libuv keeps "address in use" back until the socket is looked at.
  const error = handle.getsockname(bound);
  if (error !== 0) {
    handle.close();
    throw unusable({ address, port }, error);
  }
  let open = true;
  return {
    handle,
    where: { address: bound.address ?? address, port: bound.port ?? port },
    close() {
      if (open) handle.close();
      open = false;
    },
  };
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: "ports below 1024 are root's",
};

function unusable({ address, port }: Listening, error: number): Failure {
  const name = getSystemErrorName(error);
  return new Failure('settings', {
    what: `the SSH server at ${address.includes(':') ? `[${address}]` : address}:${port}`,
    why: reasons[name] === undefined ? name : `${reasons[name]} (${name})`,
    next: 'set listen, or CONTAINARIUM_LISTEN, to another address',
  });
}
