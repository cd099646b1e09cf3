import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageSlug, parseImage } from '../../../../src/domain/values/image.ts';
import { failing } from '../failing.ts';

describe('parseImage', () => {
  it.each([
    'images:ubuntu/24.04',
    'ubuntu:24.04',
    'images:debian/12/cloud',
    'containarium-base',
    'local:base',
    'a',
    'images:alpine/3.20+x',
    'f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f',
    'x'.repeat(128),
  ])('accepts %s', (text) => {
    expect(parseImage(text)).toBe(text);
  });

  it.each([
    ['', 'empty'],
    ['-rf', 'begins with a hyphen'],
    ['--help', 'begins with a hyphen'],
    ['images:-x', 'invalid characters'],
    ['images:', 'no image'],
    [':ubuntu', 'remote'],
    ['a:b:c', 'more than one colon'],
    ['images:ubuntu 24.04', 'characters'],
    ['/etc/passwd', 'characters'],
    ['ubuntu\n', 'characters'],
    ['https://example.com/x', 'characters'],
    ['im/ages:ubuntu', 'remote'],
    ['$(id)', 'characters'],
    ['x'.repeat(129), 'more than 128'],
  ])('refuses %j with the reason "%s"', (text, why) => {
    const failure = failing(() => parseImage(text));
    expect(failure.code).toBe('invalid-image');
    expect(failure.why).toContain(why);
    expect(failure.next).toContain('images:ubuntu/24.04');
  });
});

describe('imageSlug', () => {
  it.each([
    ['images:ubuntu/24.04', 'images-ubuntu-24-04'],
    ['Debian_12', 'debian-12'],
    ['a--b..', 'a-b'],
  ])('turns %s into %s', (reference, slug) => {
    expect(imageSlug(reference)).toBe(slug);
  });

  it('returns lower-case letters, digits and single hyphens for every image, and leaves a slug unchanged', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^([A-Za-z0-9][A-Za-z0-9._-]{0,20}:)?[A-Za-z0-9][A-Za-z0-9._/+-]{0,60}$/),
        (text) => {
          const slug = imageSlug(parseImage(text));
          expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
          expect(imageSlug(slug)).toBe(slug);
        },
      ),
    );
  });

  it('refuses text without a letter or digit', () => {
    expect(() => imageSlug('://')).toThrow(RangeError);
  });
});
