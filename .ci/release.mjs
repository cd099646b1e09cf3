/**
 * Makes the release: an archive for each architecture, which needs neither npm nor a compiler, and their checksums.
 *
 *   npm run release                        release/containarium-VERSION-linux-{x64,arm64}.tar.gz and release/SHA256SUMS
 *   npm run release -- --arch x64 --to DIR
 *
 * The same sources make the same bytes: files are sorted, and carry the time of the last commit (SOURCE_DATE_EPOCH, if
 * it is set: https://reproducible-builds.org/specs/source-date-epoch/). gzip's bytes depend on Node.js, whose version
 * the lock file fixes.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packed, sha256Of } from './release/archive.mjs';
import { sourceTime, stage } from './release/stage.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const known = ['x64', 'arm64'];
const { values } = parseArgs({
  options: { arch: { type: 'string', multiple: true }, to: { type: 'string', default: join(root, 'release') } },
});
const wanted = values.arch ?? known;
const unknown = wanted.find((arch) => !known.includes(arch));
if (unknown !== undefined) {
  console.error(`Error: there is no release for "${unknown}" (usage)\nNext: --arch ${known.join(' or --arch ')}`);
  process.exit(2);
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const time = sourceTime(root);
mkdirSync(values.to, { recursive: true });
const sums = [];
for (const arch of wanted) {
  const name = `containarium-${version}-linux-${arch}`;
  const folder = mkdtempSync(join(tmpdir(), 'containarium-release-'));
  try {
    console.log(`Making ${name}.tar.gz…`);
    stage({ root, folder, arch, time });
    const path = join(values.to, `${name}.tar.gz`);
    await packed({ folder, name, time, path });
    sums.push(`${sha256Of(path)}  ${name}.tar.gz\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
writeFileSync(join(values.to, 'SHA256SUMS'), sums.join(''));
console.log(`Made ${wanted.length === 1 ? 'it' : 'them'} in ${values.to}, with SHA256SUMS`);
