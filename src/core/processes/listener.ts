/**
 * A port that core binds and another process accepts on, so that the process needs no privilege for a low port. While
 * one process replaces another, new connections wait in the kernel's queue.
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

/** What is bound, and the setting that chooses where. */
interface Bound {
  readonly what: string;
  readonly setting: string;
}

const sshServer: Bound = { what: 'the SSH server', setting: 'listen, or CONTAINARIUM_LISTEN,' };

/**
 * Binds a port, on which a process accepts later. Port 0 binds a free one. Throws `settings` if it cannot be bound.
 */
export function bindPort({ address, port }: Listening, whose: Bound = sshServer): Listener {
  const handle = createServerHandle(address, port, isIPv6(address) ? 6 : 4);
  if (typeof handle === 'number') throw cannotBind({ address, port }, whose, handle);
  const bound: { address?: string; port?: number } = {};
  // libuv reports "address in use" only with the next call on the socket.
  const error = handle.getsockname(bound);
  if (error !== 0) {
    handle.close();
    throw cannotBind({ address, port }, whose, error);
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

function cannotBind({ address, port }: Listening, { what, setting }: Bound, error: number): Failure {
  const name = getSystemErrorName(error);
  return new Failure('settings', {
    what: `${what} at ${address.includes(':') ? `[${address}]` : address}:${port}`,
    why: reasons[name] === undefined ? name : `${reasons[name]} (${name})`,
    next: `set ${setting} to another address`,
  });
}
