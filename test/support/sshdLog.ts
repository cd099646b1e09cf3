/** What the sshd of a simulated host logs. The messages are those of OpenSSH 9.2 on Debian 12. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SimulatedLogLine } from '../../src/simulated/sshd/sshdLog.ts';

/** Returns the file of the log in the state folder of a simulated host. */
export function sshdLogPath(folder: string): string {
  return join(folder, 'simulated-sshd.jsonl');
}

/** Appends lines to the log. */
export function logSshd(folder: string, ...lines: readonly SimulatedLogLine[]): void {
  appendFileSync(sshdLogPath(folder), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export const fingerprint = 'SHA256:iT9NJ6F38D885ZDUNOCbeySfMcHG09UXTFGheticFe8';

type When = Pick<SimulatedLogLine, 'at' | 'pid'>;

/** A user's login through the host. */
export function accepted(when: When, user: string, address = '192.0.2.7', port = 42930): SimulatedLogLine {
  return {
    ...when,
    message: `Accepted publickey for ${user} from ${address} port ${port} ssh2: ED25519 ${fingerprint}`,
  };
}

export function closed(when: When, user: string): SimulatedLogLine {
  return { ...when, message: `pam_unix(sshd:session): session closed for user ${user}` };
}

/** A login that failed. `invalid`: no account has this name. */
export function failed(
  when: When,
  user: string,
  address: string,
  kind: 'authenticating' | 'invalid',
): SimulatedLogLine {
  return { ...when, message: `Connection closed by ${kind} user ${user} ${address} port 42932 [preauth]` };
}
