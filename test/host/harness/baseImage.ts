/**
 * A base image for tests: this machine's own release from its own mirror, built once and kept outside the source tree.
 * It replaces the image servers, which a test machine may not reach, and has the same structure as their images
 * (templates for host name and hosts file).
 */
import { createHash, randomBytes } from 'node:crypto';
import { access, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { Failure } from '../../../src/domain/failure.ts';
import { mainSource, readAptSources, renderDeb822 } from '../../../src/prepare/aptSources.ts';
import type { AptSource } from '../../../src/prepare/aptSources.ts';
import { run } from '../../../src/prepare/programs.ts';
import { readOsRelease, supportedRelease } from '../../../src/prepare/release.ts';
import type { OsRelease, Release } from '../../../src/prepare/release.ts';
import { removeFolder } from './mounts.ts';
import { markOf, runs } from './processes.ts';

export interface BaseImage {
  /** Alias under which {@link file:incus.ts} imports it, for example `base/debian-12`. */
  readonly alias: string;
  readonly metadataPath: string;
  readonly rootfsPath: string;
  /** Whether this call built it. */
  readonly built: boolean;
}

const packages = ['systemd', 'systemd-sysv', 'dbus', 'iproute2', 'ifupdown', 'isc-dhcp-client', 'ca-certificates'];

const interfaces = `auto lo
iface lo inet loopback
auto eth0
iface eth0 inet dhcp
`;

const templates = {
  'hostname.tpl': '{{ container.name }}\n',
  'hosts.tpl': '127.0.0.1\tlocalhost\n127.0.1.1\t{{ container.name }}\n\n::1\tlocalhost ip6-localhost ip6-loopback\n',
};

const buildMs = 20 * 60_000;

/** Everything that determines the content of the image. */
interface Recipe {
  readonly version: number;
  readonly release: string;
  readonly codename: string;
  readonly architecture: string;
  /** Mirror, suites and keys, as text of a deb822 file. */
  readonly sources: string;
  /** Proxy and date settings of the machine's apt, which a container on it needs too. */
  readonly aptSettings: string;
  readonly packages: readonly string[];
  readonly interfaces: string;
  readonly templates: Readonly<Record<string, string>>;
}

/** Returns the first mirror in the list of a `mirror+file:` address (apt-transport-mirror(1)). */
async function plainUri(uri: string): Promise<string> {
  const list = /^mirror\+file:(?:\/\/)?(\/.*)$/.exec(uri)?.[1];
  if (list === undefined) return uri;
  const line = (await readFile(list, 'utf8')).split('\n').find((each) => /^\s*\w+:/.test(each));
  return line?.trim().split(/\s+/)[0] ?? uri;
}

/**
 * Returns the machine's entries for its own release, without those that need files of this machine. For another release
 * of the same distribution, returns the same entries with its suites.
 */
export async function releaseSources(machine: Release, release: Release): Promise<AptSource[]> {
  const suites = new Set([machine.codename, `${machine.codename}-updates`, `${machine.codename}-security`]);
  const found: AptSource[] = [];
  for (const source of await readAptSources()) {
    const kept = source.suites.filter((suite) => suites.has(suite));
    const components = source.components.filter((component) => component === 'main' || component === 'universe');
    if (kept.length === 0 || components.length === 0) continue;
    const wanted = kept.map((suite) => release.codename + suite.slice(machine.codename.length));
    found.push({ ...source, suites: wanted, components, uris: await Promise.all(source.uris.map(plainUri)) });
  }
  mainSource(found, release.codename);
  return found;
}

async function aptSettings(): Promise<string> {
  const { stdout } = await run('apt-config', ['dump']);
  const wanted = /^Acquire::(?:(?:https?|ftp)::Proxy(?:::[^ ]+)?|Check-Valid-Until|Check-Date) "[^"]*";$/;
  const lines = stdout.split('\n').filter((line) => wanted.test(line));
  for (const scheme of ['http', 'https']) {
    const proxy = process.env[`${scheme}_proxy`];
    const known = lines.some((line) => line.toLowerCase().startsWith(`acquire::${scheme}::proxy "`));
    if (proxy !== undefined && proxy !== '' && !known && !proxy.includes('"'))
      lines.push(`Acquire::${scheme}::Proxy "${proxy}";`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

async function readRecipe(machine: Release, release: Release): Promise<Recipe> {
  const { stdout } = await run('dpkg', ['--print-architecture']);
  return {
    version: 1,
    release: `${release.id}-${release.versionId}`,
    codename: release.codename,
    architecture: stdout.trim(),
    sources: (await releaseSources(machine, release)).map(renderDeb822).join('\n'),
    aptSettings: await aptSettings(),
    packages,
    interfaces,
    templates,
  };
}

/** Configures the root that debootstrap made. */
async function configure(root: string, recipe: Recipe): Promise<void> {
  await writeFile(join(root, 'etc/network/interfaces'), recipe.interfaces);
  // Each container fills an empty machine-id at its first start (machine-id(5)).
  await writeFile(join(root, 'etc/machine-id'), '');
  await rm(join(root, 'var/lib/dbus/machine-id'), { force: true });
  // debootstrap copies both from this machine; DHCP and the templates create the container's own.
  await rm(join(root, 'etc/resolv.conf'), { force: true });
  await rm(join(root, 'etc/hostname'), { force: true });
  await rm(join(root, 'etc/apt/sources.list'), { force: true });
  await writeFile(join(root, 'etc/apt/sources.list.d/machine.sources'), recipe.sources);
  for (const [, path] of recipe.sources.matchAll(/^Signed-By: (\/\S+)$/gim)) {
    if (path === undefined) continue;
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(path, join(root, path));
  }
  // No translations and no fsync for every file: tests install packages in throwaway containers.
  await writeFile(join(root, 'etc/apt/apt.conf.d/90machine'), `Acquire::Languages "none";\n${recipe.aptSettings}`);
  await writeFile(join(root, 'etc/dpkg/dpkg.cfg.d/90throw-away'), 'force-unsafe-io\n');
  for (const folder of ['var/cache/apt/archives', 'var/lib/apt/lists', 'var/log']) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      if (entry.isFile() && !/^(lock|[bw]tmp|lastlog|faillog)$/.test(entry.name))
        await rm(join(root, folder, entry.name));
    }
  }
}

async function writeMetadata(folder: string, recipe: Recipe): Promise<string> {
  const work = join(folder, 'metadata');
  await mkdir(join(work, 'templates'), { recursive: true });
  const { stdout } = await run('uname', ['--machine']);
  await writeFile(
    join(work, 'metadata.yaml'),
    stringify({
      architecture: stdout.trim(),
      creation_date: Math.floor(Date.now() / 1000),
      properties: {
        os: recipe.release.split('-')[0],
        release: recipe.codename,
        description: `${recipe.release} for tests`,
      },
      templates: {
        '/etc/hostname': { when: ['create', 'copy', 'rename'], template: 'hostname.tpl' },
        '/etc/hosts': { when: ['create', 'copy', 'rename'], template: 'hosts.tpl' },
      },
    }),
  );
  for (const [name, text] of Object.entries(recipe.templates)) await writeFile(join(work, 'templates', name), text);
  const path = join(folder, 'metadata.tar.gz');
  await run('tar', ['--create', '--gzip', '--file', path, '--directory', work, 'metadata.yaml', 'templates']);
  await rm(work, { recursive: true });
  return path;
}

async function build(folder: string, recipe: Recipe): Promise<void> {
  const root = join(folder, 'rootfs');
  const [source] = recipe.sources.split('\n\n');
  const uri = /^URIs: (\S+)/m.exec(source ?? '')?.[1];
  const keyring = /^Signed-By: (\/\S+)$/im.exec(source ?? '')?.[1];
  if (uri === undefined)
    throw new Failure('settings', {
      what: 'the base image for tests',
      why: "the machine's apt sources name no mirror",
    });
  const proxy = /^Acquire::http::Proxy "([^"]+)";$/im.exec(recipe.aptSettings)?.[1];
  const components = [
    ...new Set([...recipe.sources.matchAll(/^Components: (.*)$/gm)].flatMap(([, names]) => (names ?? '').split(' '))),
  ];
  const args = [
    '--variant=minbase',
    `--components=${components.join(',')}`,
    `--include=${recipe.packages.join(',')}`,
    ...(keyring === undefined ? [] : [`--keyring=${keyring}`]),
    recipe.codename,
    root,
    uri,
  ];
  await run('debootstrap', args, { timeoutMs: buildMs, env: proxy === undefined ? {} : { http_proxy: proxy } });
  await configure(root, recipe);
  await run(
    'mksquashfs',
    [
      root,
      join(folder, 'rootfs.squashfs'),
      '-comp',
      'zstd',
      '-Xcompression-level',
      '1',
      '-noappend',
      '-quiet',
      '-no-progress',
    ],
    {
      timeoutMs: buildMs,
    },
  );
  await removeFolder(root);
  await writeMetadata(folder, recipe);
}

/** Removes the temporary folders of builds whose process is gone. */
async function removeCutBuilds(cache: string): Promise<void> {
  for (const name of (await readdir(cache)).filter((each) => each.startsWith('.building-'))) {
    const owner = await readFile(join(cache, name, 'owner'), 'utf8').catch(() => '');
    if (!(await runs(owner))) await removeFolder(join(cache, name));
  }
}

async function present(folder: string): Promise<boolean> {
  return access(join(folder, 'rootfs.squashfs')).then(
    () => true,
    () => false,
  );
}

/**
 * Returns the base image from the cache, after building it if necessary (about a minute). The cache is
 * `CONTAINARIUM_TEST_CACHE`, or a folder under /var/cache. An image gets its final name only when it is complete.
 * `other` is another release of the machine's distribution.
 */
export async function ensureBaseImage(
  other?: Pick<OsRelease, 'versionId' | 'name'>,
  say: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): Promise<BaseImage> {
  const os = await readOsRelease();
  const machine = supportedRelease(os);
  const release = other === undefined ? machine : supportedRelease({ ...os, ...other });
  const recipe = await readRecipe(machine, release);
  const cache = process.env['CONTAINARIUM_TEST_CACHE'] ?? '/var/cache/containarium-test';
  const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 16);
  const folder = join(cache, `base-${recipe.release}-${key}`);
  const image = {
    alias: `base/${recipe.release}`,
    metadataPath: join(folder, 'metadata.tar.gz'),
    rootfsPath: join(folder, 'rootfs.squashfs'),
  };
  if (await present(folder)) return { ...image, built: false };

  await mkdir(cache, { recursive: true });
  await removeCutBuilds(cache);
  say(`Building the base image for tests (${release.name}), once: about a minute`);
  const work = join(cache, `.building-${process.pid}-${randomBytes(4).toString('hex')}`);
  await mkdir(work);
  await writeFile(join(work, 'owner'), await markOf(process.pid));
  try {
    await build(work, recipe);
    await rm(join(work, 'owner'));
    await rename(work, folder);
  } catch (error) {
    await removeFolder(work);
    // Another run may have completed the same image first; its folder is as good.
    if (!(await present(folder))) throw error;
  }
  return { ...image, built: true };
}
