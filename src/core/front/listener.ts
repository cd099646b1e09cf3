/**
 * The SSH port. core binds it and the front accepts on it, so the front needs no privilege for a low port. While one
 * front replaces another, new connections wait in the kernel's queue.
 */
import net, { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { Failure } from '../../domain/failure.ts';
import type { Listening } from '../../protocol/messages.ts';

/** The part of node:net's internal socket handle that is used here. */
interface SocketHandle {
  /** Fills in the bound address; returns 0 or a negative errno. */
  getsockname(out: { address?: string; port?: number }): number;
  close(): void;
}

/**
 * Binds without listening. This function of Node.js's cluster module is the only one that does: a net.Server in core
 * would also accept connections. Returns a negative errno on failure.
 */
const createServerHandle = (
  net as unknown as {
    readonly _createServerHandle: (address: string, port: number, addressType: 4 | 6) => SocketHandle | number;
  }
)._createServerHandle;

export interface Listener {
  /** The bound socket, for the `stdio` of spawn. */
  readonly handle: unknown;
  readonly where: Listening;
  close(): void;
}

/**
 * Binds a port, on which a front accepts later. Port 0 binds a free one. Throws `settings` if the port cannot be bound.
 */
export function bindPort({ address, port }: Listening): Listener {
  const handle = createServerHandle(address, port, isIPv6(address) ? 6 : 4);
  if (typeof handle === 'number') throw cannotBind({ address, port }, handle);
  const bound: { address?: string; port?: number } = {};
  // libuv reports "address in use" only with the next call on the socket.
  const error = handle.getsockname(bound);
  if (error !== 0) {
    handle.close();
    throw cannotBind({ address, port }, error);
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
  EADDRINUSE: 'another program is listening there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'only root may use ports below 1024',
};

function cannotBind({ address, port }: Listening, error: number): Failure {
  const name = getSystemErrorName(error);
  return new Failure('settings', {
    what: `the SSH server at ${address.includes(':') ? `[${address}]` : address}:${port}`,
    why: reasons[name] === undefined ? name : `${reasons[name]} (${name})`,
    next: 'set listen, or CONTAINARIUM_LISTEN, to another address',
  });
}
