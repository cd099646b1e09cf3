/** The files of a snapshot, which the root of a container has made as it liked. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  ftruncateSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseLine } from '../../../src/repository/fileList.ts';
import { listFolder, volumeTrouble, type FolderBounds } from '../../../src/repository/folderFiles.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'containarium-files-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function listed(bounds?: FolderBounds) {
  const count = { listed: 0, omitted: 0 };
  const lines = [...listFolder(root, count, bounds)];
  const files = Object.fromEntries(
    lines.flatMap((line) => {
      const entry = parseLine(line.replace(/\n$/, ''));
      return entry === undefined ? [] : [[entry.path, entry.sha256]];
    }),
  );
  return { files, ...count, lines: lines.length };
}
const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

describe('the list of the files of a snapshot', () => {
  it('has every regular file with its checksum, at any depth', () => {
    mkdirSync(join(root, 'etc/deep/deeper'), { recursive: true });
    writeFileSync(join(root, 'etc/hostname'), 'alice\n');
    writeFileSync(join(root, 'etc/deep/deeper/empty'), '');
    const large = Buffer.alloc(3_000_001, 7);
    writeFileSync(join(root, 'large'), large);
    expect(listed()).toEqual({
      files: { '/etc/hostname': sha256('alice\n'), '/etc/deep/deeper/empty': sha256(''), '/large': sha256(large) },
      listed: 3,
      omitted: 0,
      lines: 3,
    });
  });

  it('follows no symbolic link, and opens no pipe, device or socket', () => {
    symlinkSync('/etc/passwd', join(root, 'link'));
    symlinkSync('/etc', join(root, 'folder'));
    symlinkSync('.', join(root, 'circle'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    if (process.getuid?.() === 0) execFileSync('mknod', [join(root, 'zero'), 'c', '1', '5']);
    writeFileSync(join(root, 'file'), 'x');
    expect(listed()).toMatchObject({ files: { '/file': sha256('x') }, lines: 1 });
  });

  it('has names with line breaks and backslashes, and counts those that are not UTF-8', () => {
    writeFileSync(join(root, 'two\nlines'), 'a');
    writeFileSync(join(root, 'back\\slash'), 'b');
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), 'c');
    expect(listed()).toEqual({
      files: { '/two\nlines': sha256('a'), '/back\\slash': sha256('b') },
      listed: 2,
      omitted: 1,
      lines: 2,
    });
  });

  it('counts what lies deeper than a path can name', () => {
    const name = 'x'.repeat(250);
    const deeper = `fs.mkdirSync('${name}'); process.chdir('${name}');`;
    const script = `for (let i = 0; i < 20; i++) { ${deeper} } fs.writeFileSync('file', '');`;
    execFileSync(process.execPath, ['--eval', script], { cwd: root });
    writeFileSync(join(root, 'file'), 'x');
    expect(listed()).toMatchObject({ listed: 1, omitted: 1 });
    execFileSync('rm', ['-rf', join(root, name)]);
  });

  it('counts a file that is all holes, which would take years to read', () => {
    const file = openSync(join(root, 'holes'), 'w');
    ftruncateSync(file, 8 * 1024 ** 4);
    closeSync(file);
    expect(listed()).toMatchObject({ listed: 0, omitted: 1 });
  });

  it('has bounds, and counts what lies beyond them', () => {
    for (let index = 0; index < 10; index++) writeFileSync(join(root, `file${index}`), 'x');
    expect(listed({ maxFiles: 4, maxListBytes: 1e6 })).toMatchObject({ listed: 4, omitted: 6, lines: 4 });
    expect(listed({ maxFiles: 100, maxListBytes: 200 })).toMatchObject({ listed: 2, omitted: 8, lines: 2 });
  });
});

describe('the folder of an instance that ZFS has received', () => {
  beforeEach(() => {
    chmodSync(root, 0o100);
    chmodSync(root, 0o700);
    mkdirSync(join(root, 'rootfs'));
    mkdirSync(join(root, 'templates'));
    writeFileSync(join(root, 'backup.yaml'), '');
    writeFileSync(join(root, 'metadata.yaml'), '');
    writeFileSync(join(root, 'templates/hosts.tpl'), '');
  });
  const replaced = (name: string, make: (path: string) => void): string | undefined => {
    rmSync(join(root, name), { recursive: true });
    make(join(root, name));
    return volumeTrouble(root);
  };

  it('is in order as Incus makes it, and without what Incus makes later', () => {
    expect(volumeTrouble(root)).toBeUndefined();
    for (const name of ['templates', 'backup.yaml', 'metadata.yaml']) rmSync(join(root, name), { recursive: true });
    expect(volumeTrouble(root)).toBeUndefined();
  });

  it.each(['backup.yaml', 'metadata.yaml'])(
    'is refused if %s is a link, which root of the host would follow',
    (name) => {
      expect(replaced(name, (path) => symlinkSync('/etc/passwd', path))).toContain(name);
      expect(replaced(name, (path) => symlinkSync('/no-such-file', path))).toContain(name);
      expect(replaced(name, (path) => linkSync(join(root, 'templates/hosts.tpl'), path))).toContain(name);
      expect(replaced(name, (path) => mkdirSync(path))).toContain(name);
    },
  );

  it('is refused if its root folder or its templates are links', () => {
    expect(replaced('templates/hosts.tpl', (path) => symlinkSync('/etc/shadow', path))).toContain('templates');
    expect(replaced('templates', (path) => symlinkSync('/etc', path))).toContain('templates');
    expect(replaced('templates', (path) => mkdirSync(path))).toBeUndefined();
    expect(replaced('rootfs', (path) => symlinkSync('/', path))).toContain('rootfs');
    rmSync(join(root, 'rootfs'));
    expect(volumeTrouble(root)).toContain('rootfs');
  });

  it('is refused if accounts of the host could enter it, where files may run as root', () => {
    chmodSync(root, 0o701);
    expect(volumeTrouble(root)).toContain('other accounts');
  });
});
