/**
 * The messages of OpenSSH's sshd about logins, at LogLevel INFO and above (auth.c, packet.c and serverloop.c of OpenSSH
 * 9.2 to 10.x; the end of a session is Linux-PAM's). A client chooses names and keys, so each pattern covers the whole
 * message, and takes address and port from where no name can be.
 */
import { isIP } from 'node:net';
import { isName } from '../../domain/values/username.ts';

export type SshdMessage =
  | {
      readonly kind: 'accepted';
      readonly user: string;
      readonly address: string;
      readonly port: number;
      /** As sshd names it: `publickey`. */
      readonly method: string;
      /** As sshd names it: `ED25519`; null unless a key was used. */
      readonly keyType: string | null;
      /** `SHA256:…`; null unless a key was used. */
      readonly fingerprint: string | null;
    }
  | { readonly kind: 'closed'; readonly user: string }
  | {
      readonly kind: 'failed';
      /** Null for a name that no account has. Such a name may be a password that was typed in the wrong place. */
      readonly user: string | null;
      readonly address: string;
    };

const accepted =
  /^Accepted ([a-z-]{1,32}(?:\/[a-z-]{1,32})?) for ([a-z0-9-]{1,32}) from ([0-9A-Fa-f:.]{2,45}) port (\d{1,5}) ssh2(?:: (.*))?$/;
/** A certificate's key id, which its CA chooses, follows the fingerprint. */
const key = /^([A-Z0-9-]{2,20}) (SHA256:[A-Za-z0-9+/]{43})(?: .*)?$/;
const closed = /^pam_unix\(sshd:session\): session closed for user ([a-z0-9-]{1,32})$/;
/** Of each connection that tried to log in and did not, sshd logs exactly one of these. */
const failed =
  /^(?:Connection (?:closed|reset) by|Disconnected from|Disconnecting) (authenticating|invalid) user (.*) ([0-9A-Fa-f:.]{2,45}) port \d{1,5}(?:: Too many authentication failures)? \[preauth\]$/;

/** Returns what a message says about a login; undefined for every other message. */
export function parseSshdMessage(text: string): SshdMessage | undefined {
  return parseAccepted(text) ?? parseClosed(text) ?? parseFailed(text);
}

function parseAccepted(text: string): SshdMessage | undefined {
  const [, method, user, address, port, extra] = accepted.exec(text) ?? [];
  if (method === undefined || user === undefined || !isName(user)) return undefined;
  if (address === undefined || isIP(address) === 0 || !isPort(Number(port))) return undefined;
  const [, keyType = null, fingerprint = null] = key.exec(extra ?? '') ?? [];
  return { kind: 'accepted', user, address, port: Number(port), method, keyType, fingerprint };
}

function parseClosed(text: string): SshdMessage | undefined {
  const user = closed.exec(text)?.[1];
  return user === undefined || !isName(user) ? undefined : { kind: 'closed', user };
}

function parseFailed(text: string): SshdMessage | undefined {
  const [, how, name, address] = failed.exec(text) ?? [];
  if (name === undefined || address === undefined || isIP(address) === 0) return undefined;
  return { kind: 'failed', user: how === 'authenticating' && isName(name) ? name : null, address };
}

function isPort(port: number): boolean {
  return port > 0 && port <= 65_535;
}
