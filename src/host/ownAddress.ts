/** The address from which this machine reaches others. */
import { createSocket } from 'node:dgram';

/** An address of the documentation range (RFC 5737), to which no machine has a route of its own. */
const elsewhere = '192.0.2.1';

/** Returns the source address of the default route, or undefined without one. Sends nothing. */
export function ownAddress(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (address: string | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => end(undefined));
    // Connecting a datagram socket only asks the kernel for a route.
    socket.connect(9, elsewhere, () => end(socket.address().address));
  });
}
