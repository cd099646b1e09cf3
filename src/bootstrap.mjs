/**
 * Runs before every npm script, on any Node.js from 20 on: installs the exact dependencies of the lock file if they are
 * missing or have changed, and builds if a source is newer than the build.
 *
 * The dependencies include Node.js 24 (the optional package node-linux-…), which npm scripts then find first.
 *
 * With --trusted, root is refused where others can change what would run: in the scripts for users of the program.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkoutTrouble } from './checkout.mjs';
import { patchInstalled, patchNames } from './front/patches/apply.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const quiet = process.argv.includes('--quiet');
const at = (...parts) => join(root, ...parts);
const say = (line) => quiet || process.stderr.write(`${line}\n`);

const trouble = process.argv.includes('--trusted') && process.getuid?.() === 0 ? checkoutTrouble(root) : undefined;
if (trouble !== undefined) {
  process.stderr.write(
    `Error: this checkout, as root: ${trouble}, and root would run what is put there (denied)\nNext: move it to a folder that only root can write to, such as /opt\n`,
  );
  process.exit(4);
}

function run(program, args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}`);
  process.stderr.write(`Error: "${program} ${args.join(' ')}" failed\n`);
  process.exit(1);
}

function fingerprint(...files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function newest(folder, ignore) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && !ignore.test(entry.name))
      latest = Math.max(latest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return latest;
}

const installedMark = at('node_modules', '.containarium-lock');
const patches = [...patchNames(), 'apply.mjs'].map((name) => at('src', 'front', 'patches', name));
const wanted = fingerprint(at('package-lock.json'), ...patches);
if (!existsSync(installedMark) || readFileSync(installedMark, 'utf8') !== wanted) {
  say('Installing dependencies…');
  // Without install scripts no downloaded code runs, possibly as root, and no compiler is needed. ssh2 works without
  // its optional native part.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  try {
    patchInstalled(root);
  } catch (error) {
    process.stderr.write(`Error: ssh2 could not be patched: ${error.message}\n`);
    process.exit(1);
  }
  writeFileSync(installedMark, wanted);
}

const node = existsSync(at('node_modules', '.bin', 'node')) ? at('node_modules', '.bin', 'node') : process.execPath;
const builtMark = at('dist', '.built');
if (
  !existsSync(builtMark) ||
  statSync(builtMark).mtimeMs <
    Math.max(
      newest(at('src'), /\.mjs$/),
      ...['src/build.mjs', 'tsconfig.json'].map((name) => statSync(at(name)).mtimeMs),
      statSync(installedMark).mtimeMs,
    )
) {
  say('Building…');
  run(node, [at('src', 'build.mjs')]);
  mkdirSync(at('dist'), { recursive: true });
  writeFileSync(builtMark, '');
}

// The post-quantum key exchange uses Node's own ML-KEM, available from config.oldestNode on (with OpenSSL 3.5).
const { oldestNode } = JSON.parse(readFileSync(at('package.json'), 'utf8')).config;
const { status, stdout } = spawnSync(node, ['-p', 'typeof crypto.encapsulate'], { encoding: 'utf8' });
if (status !== 0 || stdout.trim() !== 'function') {
  process.stderr.write(
    `Error: Node.js ${oldestNode} or newer is required, for ML-KEM in the post-quantum key exchange. None is bundled for this platform, so install it first.\n`,
  );
  process.exit(1);
}
