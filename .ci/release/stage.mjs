/** Puts together what an archive of the release holds. */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { patchInstalled } from '../../src/front/patches/apply.mjs';
import { filesBelow, sha256Of } from './archive.mjs';

/** What comes from the checkout as it is. The front compares the patches with the ssh2 that it has. */
const copied = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'docs',
  'package-lock.json',
  'package.json',
  'proto',
  join('src', 'front', 'patches'),
  'systemd',
];

function run(program, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  throw new Error(`"${program} ${args[0]}" failed: ${error?.message ?? stderr.trim().slice(-2000)}`);
}

/** Returns the time that all files of the release carry. */
export function sourceTime(root) {
  const given = process.env.SOURCE_DATE_EPOCH;
  const seconds = given ?? run('git', ['log', '-1', '--format=%ct'], root).trim();
  if (!/^\d{1,10}$/.test(seconds)) throw new Error(`SOURCE_DATE_EPOCH is not a number of seconds: "${seconds}"`);
  return new Date(Number(seconds) * 1000);
}

/**
 * Fills `folder` with the files of one architecture. The checkout has its dependencies.
 *
 * - `compile`: compiles the sources; else takes the compiled code of the checkout, which may have files whose sources
 *   are gone.
 * - `offline`: takes the dependencies of the checkout, those for development included, and makes no bill of materials.
 */
export function stage({ root, folder, arch, time, compile = true, offline = false }) {
  for (const name of copied) cpSync(join(root, name), join(folder, name), { recursive: true });
  renameSync(join(folder, 'systemd', 'install.sh'), join(folder, 'install.sh'));
  const copy = (name) => cpSync(join(root, name), join(folder, name), { recursive: true, verbatimSymlinks: true });
  if (compile) compiled(root, folder);
  else copy('dist');
  if (offline) copy('node_modules');
  else fetched({ folder, arch, time });
  const sums = filesBelow(folder).map((path) => `${sha256Of(join(folder, path))}  ${path}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
}

function compiled(root, folder) {
  // Maps name the folder of the sources.
  const options = ['--to', join(folder, 'dist'), '--no-maps'];
  run(process.execPath, [join(root, 'src', 'build.mjs'), ...options], root);
}

/** Adds the dependencies for running the program, and the bill of materials. */
function fetched({ folder, arch, time }) {
  const platform = [`--cpu=${arch}`, '--os=linux', '--libc=glibc'];
  // Without install scripts no downloaded code runs; ssh2 works without its optional native part.
  run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', ...platform], folder);
  patchInstalled(folder);
  const bill = run('npm', ['sbom', '--package-lock-only', '--omit=dev', '--sbom-format=cyclonedx'], folder);
  writeFileSync(join(folder, 'sbom.cdx.json'), billOf(JSON.parse(bill), installedIn(folder), time));
  // npm's own notes, which say where packages came from.
  rmSync(join(folder, 'node_modules', '.package-lock.json'), { force: true });
}

/** Returns what npm has installed, as `name@version`. */
function installedIn(folder) {
  const { packages } = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8'));
  return new Set(
    Object.entries(packages).map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`),
  );
}

/** Returns the bill of materials: of what is installed, and without what differs each time. */
function billOf(bill, installed, time) {
  delete bill.serialNumber;
  bill.metadata.timestamp = time.toISOString();
  // npm takes the name of the folder.
  bill.metadata.component.name = 'containarium';
  const isHere = (reference) => reference === bill.metadata.component['bom-ref'] || installed.has(reference);
  bill.components = bill.components.filter((component) => isHere(component['bom-ref']));
  bill.dependencies = bill.dependencies
    .filter(({ ref }) => isHere(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isHere) }));
  // Where a package was fetched.
  for (const component of bill.components)
    component.externalReferences = component.externalReferences.filter(({ type }) => type !== 'distribution');
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}
