/** Prepared images: each is built once from a base image, so that a create is clone, seed and start. */
import { createHash } from 'node:crypto';
import { orCancelled, presentCancellation } from '../../domain/cancellation.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { imageSlug } from '../../domain/values/image.ts';
import type { ImageBuildResult, ImageInfo } from '../../domain/results/upkeep.ts';
import { quoted } from '../../domain/text.ts';
import type { IncusImage } from '../../host/incus/documents.ts';
import type { Call, HostContext } from '../instances/context.ts';
import { isolationConfig } from '../isolation/config.ts';
import { makeNic } from '../isolation/nic.ts';
import { recipe, recipeId } from './recipe.ts';
import { field, imageProperty } from '../instances/metadata.ts';
import { promiseAddress } from '../instances/addresses.ts';
import { findPlacement } from '../instances/placement.ts';
import { Stages } from '../instances/stages.ts';
import { waitFor } from '../instances/waiting.ts';

const property = imageProperty;
const aliasPrefix = 'containarium-';

/**
 * Returns the alias of the image prepared from `base`. The hash at its end separates bases that share a slug:
 * publishing under an alias deletes the image that had it.
 */
export function imageAlias(base: string): string {
  return `${aliasPrefix}${imageSlug(base)}-${createHash('sha256').update(base).digest('hex').slice(0, 6)}`;
}

function toInfo(context: HostContext, image: IncusImage): ImageInfo {
  return {
    alias: image.aliases?.find(({ name }) => name.startsWith(aliasPrefix))?.name ?? '-',
    base: image.properties?.[property.base] ?? '-',
    fingerprint: image.fingerprint,
    sizeBytes: image.size,
    createdAt: image.uploaded_at,
    current: image.properties?.[property.recipe] === recipeId(recipe(context.settings.image.packages)),
  };
}

export async function listImages(context: HostContext, signal?: AbortSignal): Promise<ImageInfo[]> {
  const images = await context.incus.images(signal);
  return images
    .filter((image) => image.properties?.[property.base] !== undefined)
    .map((image) => toInfo(context, image));
}

/** Returns the image made from `base`. The alias alone proves nothing: anyone who may use Incus can set it. */
export async function preparedImage(
  context: HostContext,
  base: string,
  signal?: AbortSignal,
): Promise<ImageInfo | undefined> {
  const alias = imageAlias(base);
  return (await listImages(context, signal)).find((image) => image.base === base && image.alias === alias);
}

/** Running builds by alias: a create that needs the same image waits for its build. */
const building = new WeakMap<HostContext['incus'], Map<string, Promise<ImageBuildResult>>>();

/** Returns the prepared image for `base`, which another version may have built; builds it first if there is none. */
export async function ensureImage(context: HostContext, base: string, call: Call): Promise<ImageInfo> {
  const ready = await preparedImage(context, base);
  if (ready !== undefined) {
    if (!ready.current) call.progress.note('The prepared image was built by another version: "image build" renews it');
    return ready;
  }
  call.progress.note(`No prepared image yet: building it once from ${base}`);
  return (await buildImage(context, base, call)).image;
}

export async function buildImage(context: HostContext, base: string, call: Call): Promise<ImageBuildResult> {
  const builds = building.get(context.incus) ?? new Map<string, Promise<ImageBuildResult>>();
  building.set(context.incus, builds);
  const alias = imageAlias(base);
  const running = builds.get(alias);
  if (running !== undefined) {
    call.progress.note('Waiting for another call that is already building this image');
    try {
      return await orCancelled(running);
    } catch (error) {
      if (!isFailure(error, 'cancelled') || presentCancellation()?.aborted === true) throw error;
      // It was the other caller who cancelled it.
      return buildImage(context, base, call);
    }
  }
  const build = buildNow(context, base, alias, call).finally(() => builds.delete(alias));
  builds.set(alias, build);
  return build;
}

async function buildNow(context: HostContext, base: string, alias: string, call: Call): Promise<ImageBuildResult> {
  const startedMs = performance.now();
  const { incus, steps, settings } = context;
  const made = recipe(settings.image.packages);
  let release: () => void = () => undefined;
  const built = context.operations.run(
    { verb: 'image build', target: alias, actor: call.actor, input: { image: base }, say: call.progress.note },
    async () => {
      const placement = await findPlacement(context);
      // A bridge that ignores unknown DHCP clients serves only an instance with a fixed address.
      const promise = await promiseAddress(incus, placement);
      release = () => promise.release();
      return { ...placement, address: promise.address };
    },
    async (operation, placement) => {
      const instance = `containarium-build-${operation.id.toLowerCase()}`;
      const stages = new Stages(call.progress, 5);
      const inside = (argv: readonly string[], allowExit?: readonly number[]) =>
        incus.exec(instance, argv, {
          env: { DEBIAN_FRONTEND: 'noninteractive' },
          timeoutMs: settings.timeouts.copyMs,
          ...(allowExit === undefined ? {} : { allowExit }),
        });
      await stages.stage(`Fetching base image ${base}`, async () => {
        await operation.step(steps.createBuildInstance, { instance, operation: operation.id }, () =>
          incus
            .create(instance, base, {
              config: {
                'boot.autostart': 'false',
                'security.nesting': 'true',
                ...isolationConfig(settings.defaults.processes),
                [field.operation]: operation.id,
              },
              devices: {
                root: { type: 'disk', path: '/', pool: placement.pool },
                eth0: makeNic(placement.network, placement.address),
              },
            })
            .catch((error: unknown) => {
              throw noBase(base, error);
            }),
        );
      });
      await stages.stage('Starting the build container', async () => {
        await operation.step(steps.seedInstance, { instance }, () => incus.start(instance));
        await waitFor(
          `instance "${instance}"`,
          settings.timeouts.readyMs,
          // "degraded" is good enough: some units cannot work in a container, and none of them matters here.
          async () =>
            (await inside(['systemctl', 'is-system-running'], [0, 1]).catch(() => undefined))?.stdout.match(
              /running|degraded/,
            )?.[0],
          () => 'it did not finish booting',
        );
        await waitFor(
          `instance "${instance}"`,
          settings.timeouts.readyMs,
          async () => {
            const addresses = Object.values((await incus.state(instance)).network ?? {}).flatMap(
              (nic) => nic.addresses ?? [],
            );
            return addresses.find((a) => a.family === 'inet' && a.scope === 'global')?.address;
          },
          () => 'it did not get an address',
        );
      });
      await stages.stage('Installing Docker, SSH, and tools', async () => {
        await operation.step(steps.seedInstance, { instance }, async () => {
          for (const file of made.before) await incus.pushFile({ instance, ...file });
          for (const argv of made.install) await inside(argv);
        });
      });
      await stages.stage('Setting up first boot', async () => {
        await operation.step(steps.seedInstance, { instance }, async () => {
          for (const file of made.files) await incus.pushFile({ instance, ...file });
          for (const template of made.templates) await incus.addTemplate(instance, template);
          // A distribution may lack a unit that is disabled here.
          for (const argv of made.finish) await inside(argv, argv.includes('disable') ? [0, 1] : undefined);
        });
      });
      let published: ImageInfo | undefined;
      await stages.stage(`Publishing ${alias}`, async () => {
        await operation.step(steps.seedInstance, { instance }, () => incus.stop(instance, { force: true }));
        published = await operation.step(steps.publishImage, { alias, operation: operation.id }, async () => {
          await incus.publish(instance, alias, {
            [property.base]: base,
            [property.recipe]: recipeId(made),
            [property.operation]: operation.id,
            description: `containarium ${base}`,
          });
          return preparedImage(context, base);
        });
        // The step may have failed after it took effect.
        published ??= await preparedImage(context, base);
      });
      if (published === undefined)
        throw new Failure('unexpected-output', {
          what: `image "${alias}"`,
          why: 'Incus does not list it after publishing it',
        });
      return { image: published, elapsedMs: Math.round(performance.now() - startedMs), operation: operation.id };
    },
  );
  return built.finally(() => release());
}

/**
 * Returns a better failure for a base image that Incus does not have or cannot fetch (messages observed with incus
 * 6.0). Any other error is returned as it is.
 */
export function noBase(base: string, error: unknown): unknown {
  if (!isFailure(error, 'program-failed')) return error;
  const what = `base image ${quoted(base)}`;
  const details = { ...error.details, incus: error.why };
  const why = absence(base, error.why);
  if (why !== undefined) {
    return new Failure(
      'invalid-image',
      {
        what,
        why,
        next: 'on the host, "incus image list" lists its images, and "incus remote list" the image servers',
        details,
      },
      error,
    );
  }
  if (!error.why.includes('remote image')) return error;
  return new Failure(
    'program-failed',
    {
      what,
      why: `its image server ${quoted(serverOf(base))} did not give it`,
      next: 'check that this host reaches the image server, or use a local image (--image, image.base)',
      details,
    },
    error,
  );
}

/** Returns why there is no such image, if that is what Incus says. */
function absence(base: string, said: string): string | undefined {
  const server = serverOf(base);
  if (/remote "[^"]*" doesn't exist/i.test(said)) return `Incus has no image server of the name ${server}:`;
  if (!/^Image "[^"]*" not found$|requested image couldn't be found/i.test(said)) return undefined;
  return `image ${base} was not found on ${server === '' ? 'this host' : `${server}:`}`;
}

/** Returns the name of an image's server as Incus has it; empty for an image of this host. */
function serverOf(base: string): string {
  return base.includes(':') ? base.slice(0, base.indexOf(':')) : '';
}
