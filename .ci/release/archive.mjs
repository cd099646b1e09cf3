/** Packs a folder so that the same files make the same bytes. */
import { createHash } from 'node:crypto';
import { createWriteStream, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';

export function sha256Of(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Returns the paths of the regular files below a folder, sorted by their bytes. */
export function filesBelow(folder) {
  return entriesBelow(folder)
    .filter((path) => lstatSync(join(folder, path)).isFile())
    .sort();
}

function entriesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** Writes the files of a folder into the archive `path`, below a folder `name`. */
export async function packed({ folder, name, time, path }) {
  const archive = pack();
  const written = pipeline(archive, createGzip({ level: 9 }), createWriteStream(path, { mode: 0o644 }));
  for (const file of entriesBelow(folder)) {
    const at = join(folder, file);
    const status = lstatSync(at);
    const common = { name: `${name}/${file}`, mtime: time, uid: 0, gid: 0, uname: 'root', gname: 'root' };
    if (status.isSymbolicLink()) archive.entry({ ...common, type: 'symlink', linkname: readlinkSync(at), mode: 0o777 });
    // The umask of whoever makes the release does not count.
    else await entry(archive, { ...common, mode: (status.mode & 0o111) === 0 ? 0o644 : 0o755 }, readFileSync(at));
  }
  archive.finalize();
  await written;
}

/** Writes one file, and waits until the archive has taken it. */
function entry(archive, header, content) {
  return new Promise((resolve, reject) => {
    archive.entry({ ...header, size: content.length }, content, (error) => (error ? reject(error) : resolve()));
  });
}
