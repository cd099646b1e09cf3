/** Image references, as in `incus launch`: `images:ubuntu/24.04`, a local alias, or a fingerprint. */
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

declare const imageMark: unique symbol;
/** A string that {@link parseImage} accepted. */
export type ImageReference = string & { readonly [imageMark]: true };

const maxImageLength = 128;

const remoteRule = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const nameRule = /^[A-Za-z0-9][A-Za-z0-9._/+-]*$/;

function fault(text: string): string | undefined {
  if (text === '') return 'empty';
  if (text.length > maxImageLength) return `more than ${maxImageLength} characters`;
  // The reference becomes an argument of a host program, which would read a leading hyphen as an option.
  if (text.startsWith('-')) return 'it begins with a hyphen';
  const [first = '', second, ...more] = text.split(':');
  if (more.length > 0) return 'more than one colon';
  if (second === undefined) return nameRule.test(first) ? undefined : 'invalid characters in the image name';
  if (!remoteRule.test(first)) return 'invalid name of a remote before the colon';
  if (second === '') return 'no image after the remote';
  return nameRule.test(second) ? undefined : 'invalid characters in the image name';
}

/** Parses `[REMOTE:]NAME`. Only Incus knows whether the image exists. Throws `invalid-image`. */
export function parseImage(text: string): ImageReference {
  const why = fault(text);
  if (why === undefined) return text as ImageReference;
  throw new Failure('invalid-image', {
    what: `image ${quoted(text)}`,
    why,
    next: 'name an image as in incus launch: images:ubuntu/24.04, a local alias, or a fingerprint',
  });
}

/**
 * Returns the reference in lower-case letters, digits and single hyphens, for use in an alias: `images:ubuntu/24.04`
 * becomes `images-ubuntu-24-04`. Different references may have the same slug, so a slug alone does not identify its
 * base.
 */
export function imageSlug(reference: string): string {
  const slug = reference
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  if (slug === '') throw new RangeError('an image reference has at least one letter or digit');
  return slug;
}
