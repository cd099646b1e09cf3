/**
 * Builds the program: checks the types, and joins the modules of `src/` and most packages to few files in `dist/`.
 *
 *   node src/build.mjs [--to DIR] [--no-maps]
 *
 * Node.js takes up to a millisecond for each module that it has to find, read and link, so a thousand modules take
 * longer than what they do (`npm run bench:start`). Names stay as they are written and nothing is made smaller, so that
 * a stack trace names functions, and lines that a person can find.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The programs, which are started by their path. What they share, or load when it is needed, is in `parts/`. */
const programs = ['main', 'front/main', 'remote/main', 'metrics/main', 'repository/snapshotReader', 'docs/generate'];

/** Modules that tests load from the built program. */
const tested = ['shell/shell', 'prepare/prepare', 'settings/settings', 'settings/home'];

/**
 * Packages that stay as they are installed.
 *
 * - ssh2 is patched, and the front compares its files with the patches before it uses them.
 * - ink-table is loaded by hand, with the ink and the react that the shell has (src/shell/items/inkTable.ts).
 * - string-width is loaded when it is needed, also by callers that cannot wait (src/catalogue/output/textWidth.ts).
 * - react-devtools-core is not installed. Ink loads it for who develops with Ink.
 * - The others look for files that lie beside their modules.
 */
const installed = [
  ...['ssh2', 'ink-table', 'react-devtools-core'],
  ...['@grpc/grpc-js', '@grpc/proto-loader', '@grpc/reflection', 'grpc-health-check', 'protobufjs'],
  ...['pino', 'string-width', 'write-file-atomic'],
];

/** What a build leaves in its folder for the next one. */
const kept = new Set(['.built', '.tsbuildinfo']);

/**
 * Modules of packages that do what the program must not:
 *
 * - zod has 250 KB of translations, which nothing here shows: src/domain/check.ts has words of its own.
 * - restore-cursor writes "show the cursor" to the process's own standard error at its end. That of the front is a log,
 *   and Ink shows the cursor of each shell's terminal itself; but it loads this through cli-cursor.
 * - yoga-layout fetches its code from a text of its own, for which Node.js would load an HTTP client for 80 ms.
 */
const changedModules = [
  { filter: /zod\/v4\/locales\/index\.js$/, change: () => '' },
  { filter: /restore-cursor\/index\.js$/, change: () => 'export default () => undefined;' },
  { filter: /yoga-wasm-base64-esm\.js$/, change: (text) => `const fetch = undefined;\n${text}` },
];

const changes = {
  name: 'changed modules',
  setup(bundle) {
    for (const { filter, change } of changedModules)
      bundle.onLoad({ filter }, async ({ path }) => ({ contents: change(await readFile(path, 'utf8')), loader: 'js' }));
  },
};

/**
 * Fetches the modules of Node.js by a call, and of each only what is used. For an import, Node.js reads every property
 * of a module, and the getters of many load further modules. Each importer has a copy of its own, which a file of
 * `parts/` would take longer to load than. Its name must not have the folder of the build in it: it is written to the
 * file, and a release has the same bytes wherever it is built.
 */
const fetchedBuiltins = {
  name: 'fetched builtins',
  setup(bundle) {
    bundle.onResolve({ filter: /^[a-z]/ }, ({ path, importer, kind }) => {
      if (!isBuiltin(path)) return undefined;
      const namespace = kind === 'require-call' ? 'required builtin' : 'imported builtin';
      const builtin = path.replace(/^(?:node:)?/, 'node:');
      return { path: `${builtin} for ${relative(root, importer)}`, namespace, sideEffects: false, pluginData: builtin };
    });
    bundle.onLoad({ filter: /.*/, namespace: 'required builtin' }, ({ pluginData: builtin }) => ({
      contents: `module.exports = ${fetched(builtin)};`,
    }));
    bundle.onLoad({ filter: /.*/, namespace: 'imported builtin' }, ({ pluginData: builtin }) => ({
      contents: [
        `const builtin = /* @__PURE__ */ ${fetched(builtin)};`,
        'export default builtin;',
        // Pure, so that what nothing imports is left out.
        ...Object.keys(process.getBuiltinModule(builtin))
          .filter((name) => name !== 'default')
          .map((name) => `export const ${name} = /* @__PURE__ */ (() => builtin.${name})();`),
      ].join('\n'),
    }));
  },
};

const fetched = (path) => `process.getBuiltinModule(${JSON.stringify(path)})`;

function checkTypes() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.json')], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Writes the files below `to`, and returns what esbuild says of them. */
export async function bundle(to, withMaps) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...programs, ...tested].map((name) => join('src', `${name}.ts`)),
    outbase: 'src',
    outdir: to,
    bundle: true,
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: installed,
    // React has two forms of itself.
    define: { 'process.env.NODE_ENV': '"production"' },
    sourcemap: withMaps ? 'linked' : false,
    sourcesContent: false,
    legalComments: 'inline',
    logLevel: 'warning',
    plugins: [changes, fetchedBuiltins],
    metafile: true,
  });
  const absent = changedModules.find(({ filter }) => !Object.keys(metafile.inputs).some((path) => filter.test(path)));
  if (absent !== undefined) throw new Error(`${absent.filter} is no module of a package any more: see src/build.mjs`);
  return metafile;
}

const texts = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;

/** Fails if a package was joined that looks for files beside its modules: they are not there any more. */
function refuseNeighbours(paths) {
  const found = paths
    .filter((path) => path.endsWith('.js'))
    .find((path) => /\b__(?:dirname|filename)\b/.test(readFileSync(path, 'utf8').replace(texts, '')));
  if (found === undefined) return;
  process.stderr.write(
    `Error: ${relative(root, found)}: a package in it needs __dirname or __filename; list it as installed in src/build.mjs\n`,
  );
  process.exit(1);
}

/** Removes what earlier builds have made and this one has not. */
function removeOthers(to, made) {
  const present = new Set(made);
  for (const entry of readdirSync(to, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !present.has(path) && !kept.has(relative(to, path))) rmSync(path);
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { to: { type: 'string', default: join(root, 'dist') }, 'no-maps': { type: 'boolean', default: false } },
  });
  const to = resolve(values.to);
  checkTypes();
  const { outputs } = await bundle(to, !values['no-maps']);
  const made = Object.keys(outputs).map((path) => resolve(root, path));
  refuseNeighbours(made);
  removeOthers(to, made);
}
