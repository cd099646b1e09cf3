/** Runs a command line on one server elsewhere. */
import { terminalIo } from '../commandLine/terminalIo.ts';
import { endsSoon } from '../domain/access/certificateEnd.ts';
import { readIdentity, type ClientIdentity } from './certificates.ts';
import { runThere } from './commandLine.ts';
import { Channel } from './grpc/channel.ts';
import { openRun } from './grpc/runCall.ts';
import type { RemoteHost } from './servers.ts';

/** Resolves with the exit code of the command line. Rejects with the failure of a server that does not answer. */
export async function runOn(
  { prefix, address, certificatesFolder }: RemoteHost,
  words: readonly string[],
): Promise<number> {
  const identity = certificatesFolder === undefined ? undefined : await readIdentity(certificatesFolder);
  const io = terminalIo();
  const warning = identity === undefined ? undefined : expiryWarning(identity, new Date());
  if (warning !== undefined) io.stderr(`${warning}\n`);
  const channel = await Channel.open(address, identity);
  try {
    return await runThere((gaveUp) => openRun(channel, gaveUp), { words, prefix, io });
  } finally {
    channel.close();
    // A question that was interrupted still waits for it.
    process.stdin.destroy();
  }
}

/** Returns a line for a certificate that ends soon. */
function expiryWarning({ name, expiresAt }: ClientIdentity, now: Date): string | undefined {
  const ends = endsSoon(expiresAt, now);
  return ends === undefined ? undefined : `Your certificate ${ends}. An admin makes a new one: "cert issue ${name}"`;
}
