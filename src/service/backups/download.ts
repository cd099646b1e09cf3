/** `backup download`: sends a backup to the standard output of the caller, at the pace at which the caller takes it. */
import type { AgeIdentity } from '../../domain/values/age.ts';
import type { BackupDownloaded } from '../../domain/results/backups.ts';
import { eitherSignal } from '../../domain/signals.ts';
import { Failure } from '../../domain/failure.ts';
import { containerName, type Username } from '../../domain/values/username.ts';
import type { Manifest } from '../../repository/manifest.ts';
import type { Call, HostContext } from '../instances/context.ts';
import { idOf, manifestOf } from './shared.ts';

/** Size of a piece, in bytes. A message between core and the front has room for four. */
const pieceBytes = 256 * 1024;

export async function downloadBackup(
  context: HostContext,
  {
    user,
    backup: wanted,
    identity,
    plain = false,
  }: {
    readonly user: Username;
    readonly backup: string;
    readonly identity?: AgeIdentity | undefined;
    readonly plain?: boolean | undefined;
  },
  { signal, terminal }: Call,
): Promise<BackupDownloaded> {
  if (terminal === undefined)
    throw new Failure('usage', {
      what: '"backup download"',
      why: 'its output cannot be sent here',
      next: `over ssh, redirect the output of "backup download ${user} ${wanted}" to a file`,
    });
  const left = new AbortController();
  terminal.attach({ input: () => undefined, resize: () => undefined, end: () => left.abort() });
  using either = eitherSignal(signal, left.signal);
  const gone = either.signal;
  const repository = await context.repository();
  const id = await idOf(repository, user, wanted, context.now());
  const manifest = await manifestOf(repository, user, id);
  const isPlain = plain || identity !== undefined;
  const chain = manifest.version === 2 ? await repository.chain(manifest, gone) : [manifest];
  if (!isPlain) requireJoinable(manifest, chain);
  let bytes = 0;
  try {
    for (const each of chain) {
      const source = isPlain ? await repository.data(each, identity, gone) : await repository.stored(each, gone);
      for await (const chunk of source as AsyncIterable<Buffer>)
        for (let at = 0; at < chunk.length; at += pieceBytes) {
          if (gone.aborted) throw cancelled(id);
          const piece = chunk.subarray(at, at + pieceBytes);
          await terminal.output(piece);
          bytes += piece.length;
        }
    }
  } catch (error) {
    throw gone.aborted ? cancelled(id) : error;
  }
  return { user, container: containerName(user), id, bytes, isPlain };
}

/**
 * Refuses encrypted files of which several would be sent: one after the other they are no file of age. Compressed ones
 * are one of zstd.
 */
function requireJoinable({ id }: Manifest, chain: readonly Manifest[]): void {
  if (chain.length === 1 || chain.every(({ encryption }) => encryption === 'none')) return;
  const others = chain.slice(0, -1).map((each) => each.id);
  throw new Failure('usage', {
    what: `backup ${id}`,
    why: `it builds on ${others.join(', ')}, and encrypted files cannot be sent as one`,
    next: 'give the identity of a recipient with --identity, or copy the folders of these backups from the store',
  });
}

function cancelled(id: string): Failure {
  return new Failure('cancelled', { what: `backup ${id}`, why: 'the caller has left' });
}
