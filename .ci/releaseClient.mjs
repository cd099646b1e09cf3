/**
 * Makes the client into one file that runs with Node.js alone: release/containarium.
 *
 *   npm run release:client
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { noTranslations } from '../src/build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const outfile = join(root, 'release', 'containarium');

await build({
  entryPoints: [join(root, 'src', 'client', 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  // Node.js starts a CommonJS file about 10 ms sooner than an ES module (npm run bench:remote).
  format: 'cjs',
  target: 'node20',
  minify: true,
  legalComments: 'inline',
  define: { CLIENT_VERSION: JSON.stringify(version) },
  banner: { js: '#!/usr/bin/env node' },
  // src/catalogue/output/textWidth.ts needs the path of its file only where nothing was loaded before; the client does.
  logOverride: { 'empty-import-meta': 'silent' },
  plugins: [noTranslations],
});
chmodSync(outfile, 0o755);
// Here package.json says that files without a suffix are ES modules.
writeFileSync(join(root, 'release', 'package.json'), '{ "type": "commonjs" }\n');
console.log(`Made ${outfile}`);
