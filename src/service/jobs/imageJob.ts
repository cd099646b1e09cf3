/** Builds the prepared image again when it is old, so that new containers begin with recent packages. */
import { dayMs } from '../../domain/values/duration.ts';
import { buildImage, preparedImage } from '../images/preparedImage.ts';
import type { Job } from './job.ts';
import { jobCall } from './job.ts';

export const imageJob: Job = {
  name: 'image',
  isLong: true,
  summary: 'Build the prepared image again when it is older than image.rebuildDays',
  pattern: '29 5 * * *',
  async run(context) {
    const { base, rebuildDays } = context.settings.image;
    const image = await preparedImage(context, base);
    // Without one, the first create builds it.
    if (image === undefined) return undefined;
    const ageMs = context.now().getTime() - Date.parse(image.createdAt);
    if (image.current && ageMs < rebuildDays * dayMs) return undefined;
    const built = await buildImage(context, base, jobCall({ image: base }));
    return `${built.image.alias} built again`;
  },
};
