/** Archives as Incus exports them. */
import { Readable } from 'node:stream';
import { createZstdCompress } from 'node:zlib';
import { pack } from 'tar-stream';

export type Files = Readonly<Record<string, string | Buffer>>;

/** Returns the archive of an export with these files of the container, by their paths in it. */
export function exported(files: Files, chunkBytes = 65_536): Readable {
  const archive = pack();
  // Two exports of the same files are equal.
  const mtime = new Date(0);
  archive.entry({ name: 'backup/index.yaml', mtime }, 'name: alice-container\n');
  archive.entry({ name: 'backup/container/rootfs', type: 'directory', mtime });
  for (const [path, content] of Object.entries(files))
    archive.entry({ name: `backup/container/rootfs${path}`, mtime }, content);
  archive.entry({ name: 'backup/container/rootfs/etc/link', type: 'symlink', linkname: 'hosts', mtime });
  archive.finalize();
  return Readable.from(
    (async function* () {
      for await (const chunk of archive as AsyncIterable<Buffer>)
        for (let at = 0; at < chunk.length; at += chunkBytes) yield chunk.subarray(at, at + chunkBytes);
    })(),
    { objectMode: false },
  );
}

/** Returns an export as Incus keeps it, compressed. */
export function compressedExport(files: Files): Readable {
  return exported(files).pipe(createZstdCompress());
}
