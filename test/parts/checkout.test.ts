/** What root may run from a checkout: src/checkout.mjs, and the bootstrap that asks it. */
import { cp, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Found {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}
interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly stat: (path: string) => Found | undefined;
  readonly passwd: string;
  readonly groups: string;
}
const { checkoutTrouble } = (await import(join(root, 'src', 'checkout.mjs'))) as {
  checkoutTrouble: (checkout: string, machine: Machine) => string | undefined;
};

const passwd = 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:100::/home/bob:/bin/sh\n';
const groups = 'root:x:0:\nusers:x:100:\nalice:x:1000:\nteam:x:1002:alice,bob\nops:x:1003:alice\n';
const ofRoot: Found = { uid: 0, gid: 0, mode: 0o755 };
const ofAlice: Found = { uid: 1000, gid: 1000, mode: 0o775 };

/** Returns what root is told about /home/alice/containarium if these paths differ from a machine where root has all. */
function told(different: Readonly<Record<string, Found>>, env: NodeJS.ProcessEnv = {}): string | undefined {
  const stat = (path: string): Found | undefined =>
    path.endsWith('/dist') ? undefined : (new Map(Object.entries(different)).get(path) ?? ofRoot);
  return checkoutTrouble('/home/alice/containarium', { env, stat, passwd, groups });
}

describe('a checkout that root runs', () => {
  it('may lie where only root can write, or the person behind sudo', () => {
    expect(told({})).toBeUndefined();
    const hers = { '/home/alice': ofAlice, '/home/alice/containarium': ofAlice };
    expect(told(hers, { SUDO_UID: '1000' })).toBeUndefined();
    expect(told(hers)).toBe('/home/alice/containarium belongs to alice');
    expect(told(hers, { SUDO_UID: '1001' })).toBe('/home/alice/containarium belongs to alice');
  });

  it.each<[string, string, Found]>([
    ['every user can write to /home', '/home', { ...ofRoot, mode: 0o777 }],
    ['every user can write to /home', '/home', { ...ofRoot, mode: 0o1777 }],
    ['group 1002 can write to /home/alice', '/home/alice', { ...ofRoot, gid: 1002, mode: 0o775 }],
    ['group 100 can write to /home/alice', '/home/alice', { ...ofAlice, gid: 100 }],
    ['group 7 can write to /', '/', { ...ofRoot, gid: 7, mode: 0o775 }],
    ['/home belongs to user 1234', '/home', { ...ofRoot, uid: 1234 }],
    [
      'every user can write to /home/alice/containarium/node_modules',
      '/home/alice/containarium/node_modules',
      { ...ofRoot, mode: 0o777 },
    ],
  ])('is refused because %s (%s)', (trouble, path, found) => {
    expect(told({ [path]: found }, { SUDO_UID: '1000' })).toBe(trouble);
  });

  it('may be writable for a group in which only the person behind sudo is', () => {
    expect(told({ '/home/alice': { ...ofRoot, gid: 1003, mode: 0o775 } }, { SUDO_UID: '1000' })).toBeUndefined();
  });

  it('below a folder for every user is refused by the scripts for users, before they install or run anything', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'containarium-checkout-'));
    const asRoot = process.getuid?.() === 0 ? [] : ['unshare', '--map-root-user'];
    try {
      await mkdir(join(folder, 'src', 'front'), { recursive: true });
      for (const name of [
        'src/bootstrap.mjs',
        'src/checkout.mjs',
        'src/front/patches',
        'package.json',
        'package-lock.json',
      ])
        await cp(join(root, name), join(folder, name), { recursive: true });
      const before = await readdir(folder);
      const manifest = await readFile(join(root, 'package.json'), 'utf8');
      const { scripts } = JSON.parse(manifest) as { scripts: Record<string, string> };
      for (const script of ['prestart', 'precontainarium', 'preservice:install', 'preservice:uninstall']) {
        const [, ...words] = (scripts[script] ?? '').split(' ');
        const [program = '', ...args] = [...asRoot, process.execPath, ...words];
        const { exitCode, stderr } = await execa(program, args, { cwd: folder, reject: false });
        expect(stderr).toMatch(
          /^Error: this checkout, as root: .*\(denied\)\nNext: move it to a folder that only root/,
        );
        expect(exitCode).toBe(4);
      }
      expect(await readdir(folder)).toEqual(before);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
