/**
 * Makes the client into one file that runs with Node.js alone: release/containarium.
 *
 *   npm run release:client
 */
import { chmodSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { definitions } = await import(pathToFileURL(join(root, 'dist', 'grpc', 'definitions.js')).href);
const outfile = join(root, 'release', 'containarium');

await build({
  entryPoints: [join(root, 'dist', 'client', 'main.js')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: true,
  legalComments: 'inline',
  define: { CLIENT_VERSION: JSON.stringify(version) },
  // CommonJS packages in an ES module.
  banner: {
    js: '#!/usr/bin/env node\nimport { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
  plugins: [
    {
      name: 'definitions',
      setup(bundle) {
        bundle.onLoad({ filter: /grpc[\\/]definitions\.js$/ }, () => ({
          contents: `export const definitions = ${JSON.stringify(definitions)};`,
          loader: 'js',
        }));
      },
    },
  ],
});
chmodSync(outfile, 0o755);
console.log(`Made ${outfile}`);
