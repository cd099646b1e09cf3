/** `image build` and `image list`. */
import type { ImageBuildResult, ImageInfo } from '../domain/results/upkeep.ts';
import { buildImage as build, listImages as list } from './images/preparedImage.ts';
import type { Call, HostContext } from './instances/context.ts';

/** Builds the prepared image for `image`, or for the default base. */
export function buildImage(
  context: HostContext,
  { image = context.settings.image.base }: { readonly image?: string | undefined },
  call: Call,
): Promise<ImageBuildResult> {
  return build(context, image, call);
}

export async function listImages(
  context: HostContext,
  _input: object,
  { signal }: Call,
): Promise<{ readonly images: readonly ImageInfo[] }> {
  return { images: await list(context, signal) };
}
