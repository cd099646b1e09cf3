/** Simulates images: a remote image server, `incus publish` and `incus image delete`. */
import { done, incusError, incusRefusal } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { digest } from '../state/deterministic.ts';
import { firstBootPath } from '../inside/firstBoot.ts';
import { instanceNamed } from '../program/lookup.ts';
import type { ImageRecord } from '../state/state.ts';

const mib = 1024 ** 2;

interface RemoteImage {
  readonly sizeBytes: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly osRelease: string;
}

/** The images on the simulated image server `images:`. */
const remoteImages: Readonly<Record<string, RemoteImage>> = {
  'ubuntu/24.04': {
    sizeBytes: 131 * mib,
    properties: {
      architecture: 'amd64',
      description: 'Ubuntu noble amd64 (simulated)',
      os: 'Ubuntu',
      release: 'noble',
      type: 'squashfs',
      variant: 'default',
    },
    osRelease: 'PRETTY_NAME="Ubuntu 24.04 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\n',
  },
  'debian/12': {
    sizeBytes: 96 * mib,
    properties: {
      architecture: 'amd64',
      description: 'Debian bookworm amd64 (simulated)',
      os: 'Debian',
      release: 'bookworm',
      type: 'squashfs',
      variant: 'default',
    },
    osRelease: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
  },
};

/** What a copy of a real host finds on the servers that the real one knows. */
const unknownImage: RemoteImage = { sizeBytes: 100 * mib, properties: {}, osRelease: '' };

/** Finds a local image by its alias or by a prefix of its fingerprint. */
export function localImage({ state }: World, reference: string): ImageRecord | undefined {
  const byAlias = state.images.find((image) => image.aliases.includes(reference));
  if (byAlias !== undefined) return byAlias;
  if (!/^[0-9a-f]{6,64}$/.test(reference)) return undefined;
  return state.images.find((image) => image.fingerprint.startsWith(reference));
}

/**
 * Finds the image for `incus create`. `register` adds a downloaded image to the local ones. Call it only when nothing
 * can fail any more.
 */
export function imageForCreate(world: World, reference: string): { image: ImageRecord; register: () => void } {
  const colon = reference.indexOf(':');
  const remote = colon < 0 ? 'local' : reference.slice(0, colon);
  const alias = reference.slice(colon + 1);
  if (remote === 'local') {
    const image = localImage(world, alias);
    if (image === undefined) throw incusRefusal(`Image "${alias}" not found`);
    return { image, register: () => undefined };
  }
  if (remote !== 'images' && world.state.isCopy !== true) throw incusRefusal(`The remote "${remote}" doesn't exist`);
  const elsewhere = world.state.isCopy === true ? unknownImage : undefined;
  const offered = Object.hasOwn(remoteImages, alias) ? remoteImages[alias] : elsewhere;
  if (offered === undefined) {
    throw incusRefusal(
      'Failed instance creation: Failed getting remote image info: Failed getting image: ' +
        `The requested image couldn't be found for fingerprint "${alias}"`,
    );
  }
  const fingerprint = digest(`remote image ${alias}`);
  const known = world.state.images.find((image) => image.fingerprint === fingerprint);
  if (known !== undefined) return { image: known, register: () => undefined };
  const image: ImageRecord = {
    fingerprint,
    aliases: [],
    properties: { ...offered.properties },
    sizeBytes: offered.sizeBytes,
    createdAtMs: Date.UTC(2025, 0, 1),
    uploadedAtMs: world.nowMs,
    lastUsedAtMs: null,
    cached: true,
    prepared: false,
    files: { '/etc/os-release': { content: offered.osRelease, mode: '0644', uid: 0, gid: 0 } },
  };
  return { image, register: () => world.state.images.push(image) };
}

/** Makes an image of a stopped instance. With `reuse`, deletes the image that has the alias. */
export function publishInstance(
  world: World,
  name: string,
  options: { alias: string | undefined; reuse: boolean; properties: Readonly<Record<string, string>> },
): Answer {
  const { state, nowMs } = world;
  const instance = instanceNamed(world, name);
  if (instance.run !== null) {
    return incusError('The instance is currently running. Use --force to have it stopped and restarted');
  }
  const { alias } = options;
  const before = alias === undefined ? undefined : state.images.find((image) => image.aliases.includes(alias));
  if (before !== undefined && !options.reuse) return incusError(`Aliases already exists: ${alias ?? ''}`);
  const inherited = Object.entries(instance.config)
    .filter(([key]) => key.startsWith('image.'))
    .map(([key, value]): [string, string] => [key.slice('image.'.length), value]);
  const base = state.images.find((image) => image.fingerprint === instance.config['volatile.base_image']);
  state.serial += 1;
  const fingerprint = digest(`published ${name} ${state.serial}`);
  state.images = state.images.filter((image) => image !== before);
  if (before !== undefined) emitDeletion(world, before);
  state.images.push({
    fingerprint,
    aliases: alias === undefined ? [] : [alias],
    properties: { ...Object.fromEntries(inherited), ...options.properties },
    // The base image and the packages that a build installs.
    sizeBytes: (base?.sizeBytes ?? 96 * mib) + 160 * mib,
    createdAtMs: nowMs,
    uploadedAtMs: nowMs,
    lastUsedAtMs: null,
    cached: false,
    prepared: Object.hasOwn(instance.files, firstBootPath),
    files: structuredClone(instance.files),
    ...(instance.templates === undefined ? {} : { templates: structuredClone(instance.templates) }),
  });
  world.emit('image-created', null);
  if (alias !== undefined) world.emit('image-alias-created', null);
  return done(`Instance published with fingerprint: ${fingerprint}\n`);
}

function emitDeletion(world: World, image: ImageRecord): void {
  for (const _ of image.aliases) world.emit('image-alias-deleted', null);
  world.emit('image-deleted', null);
}

export function deleteImage(world: World, reference: string): Answer {
  const image = localImage(world, reference);
  if (image === undefined) return incusError('Image not found');
  world.state.images = world.state.images.filter((candidate) => candidate !== image);
  emitDeletion(world, image);
  return done();
}
