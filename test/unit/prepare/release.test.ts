import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { parseOsRelease, supportedRelease } from '../../../src/prepare/release.ts';

const debian12 =
  'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n';

describe('the release of a machine', () => {
  it('is read from os-release with any quoting of its values', () => {
    expect(parseOsRelease(debian12)).toEqual({
      id: 'debian',
      versionId: '12',
      codename: 'bookworm',
      name: 'Debian GNU/Linux 12 (bookworm)',
    });
    expect(parseOsRelease('ID=\'ubuntu\'\nVERSION_ID=24.04\n# ID=no\nPRETTY_NAME="A \\"b\\""\n')).toMatchObject({
      id: 'ubuntu',
      versionId: '24.04',
      name: 'A "b"',
    });
  });

  it.each([
    ['debian', '12', 'bookworm-backports', 'main'],
    ['debian', '13', 'trixie', 'main'],
    ['ubuntu', '24.04', 'noble', 'universe'],
  ])('of %s %s has Incus in %s/%s', (id, versionId, suite, component) => {
    expect(supportedRelease({ id, versionId, codename: '', name: '' })).toMatchObject({
      incusSuite: suite,
      incusComponent: component,
    });
  });

  it.each([
    ['debian', '11'],
    ['ubuntu', '22.04'],
    ['fedora', '42'],
    ['linuxmint', '22'],
  ])('is refused for %s %s, with the supported releases and what to install', (id, versionId) => {
    const attempt = (): unknown => supportedRelease({ id, versionId, codename: '', name: `${id} ${versionId}` });
    expect(attempt).toThrow(Failure);
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'settings',
        why: expect.stringContaining('Debian 13'),
        next: expect.stringContaining('Incus'),
      }),
    );
  });
});
