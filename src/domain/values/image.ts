/** References to images, as `incus launch` takes them: `images:ubuntu/24.04`, a local alias, or a fingerprint. */
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

declare const imageMark: unique symbol;
/** A string that {@link parseImage} accepted. */
export type ImageReference = string & { readonly [imageMark]: true };

export const maxImageLength = 128;

const remoteRule = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const nameRule = /^[A-Za-z0-9][A-Za-z0-9._/+-]*$/;

function fault(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text.length > maxImageLength) return `it has more than ${maxImageLength} characters`;
  // It becomes an argument of a host program, where a leading hyphen would make it an option.
  if (text.startsWith('-')) return 'it begins with a hyphen';
  const [first = '', second, ...more] = text.split(':');
  if (more.length > 0) return 'it has more than one colon';
  if (second === undefined)
    return nameRule.test(first) ? undefined : 'it has characters that an image name cannot have';
  if (!remoteRule.test(first)) return 'what stands before the colon is not the name of a remote';
  if (second === '') return 'it names a remote and no image';
  return nameRule.test(second) ? undefined : 'it has characters that an image name cannot have';
}

/** `[REMOTE:]NAME`. Whether there is such an image only Incus knows. Throws `invalid-image`. */
export function parseImage(text: string): ImageReference {
  const why = fault(text);
  if (why === undefined) return text as ImageReference;
  throw new Failure('invalid-image', {
    what: `image ${quoted(text)}`,
    why,
    next: 'write an image as Incus names it: images:ubuntu/24.04, a local alias, or a fingerprint',
  });
}

/**
 * The reference in lower-case letters, digits and single hyphens, for use in an alias: `images:ubuntu/24.04` →
 * `images-ubuntu-24-04`. Different references may have the same slug, so an alias alone does not tell what it was made
 * from.
 */
export function imageSlug(reference: string): string {
  const slug = reference
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  if (slug === '') throw new RangeError('an image reference has at least one letter or digit');
  return slug;
}
