/** Tells a client with a wrong login name which names there are. */
import type { AuthContext, Connection } from 'ssh2';
import { tokenOf } from '../../domain/access/invitation.ts';
import { triedEntryPoint } from '../../domain/access/refusal.ts';
import { wireString } from '../../domain/keys/wire.ts';
import { sendPacket } from '../transport/packet.ts';

/** SSH_MSG_USERAUTH_BANNER (RFC 4252, section 5.4). */
const userauthBanner = 53;

/** The same for every name, so that it tells nobody which users there are. */
const textAt = (port: number): string =>
  'This port knows two login names: "manage" for admins and "self" for owners of containers,\r\n' +
  `for example: ssh -p ${port} self@HOST. The way into a container is another port: ssh NAME-dev\r\n`;

/**
 * Returns a function that sends the text to a client that asks for the methods first ("none"), as ssh does, with a name
 * that is neither an entry point nor an invitation. All other answers are the same for every name.
 */
export function nameBanner(
  connection: Connection,
  port: number,
): (context: Pick<AuthContext, 'method' | 'username'>) => void {
  let isFirst = true;
  return ({ method, username }) => {
    const isQuestion = isFirst && method === 'none';
    isFirst = false;
    if (!isQuestion || triedEntryPoint(username) !== 'other' || tokenOf(username) !== undefined) return;
    sendPacket(connection, Buffer.concat([Buffer.from([userauthBanner]), wireString(textAt(port)), wireString('')]));
  };
}
