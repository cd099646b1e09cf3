/** Releases of this checkout, and variants of them that are newer, broken or damaged. */
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { repository } from './server.ts';

export class Releases {
  /** Where each release is: as a folder, and as an archive of the same name. */
  readonly folder: string;
  readonly version: string;

  private constructor(folder: string, version: string) {
    this.folder = folder;
    this.version = version;
  }

  /** Makes the release of this checkout, named `release`. */
  static async make(folder: string, arch: string = process.arch): Promise<Releases> {
    const manifest = await readFile(join(repository, 'package.json'), 'utf8');
    const made = join(folder, 'made');
    await mkdir(folder, { recursive: true });
    await execa(process.execPath, [join(repository, '.ci', 'release.mjs'), '--arch', arch, '--to', made]);
    const [archive = ''] = (await readdir(made)).filter((name) => name.endsWith('.tar.gz'));
    await execa('tar', ['--extract', '--gzip', '--file', join(made, archive), '--directory', folder]);
    await rename(join(folder, archive.replace('.tar.gz', '')), join(folder, 'release'));
    await rename(join(made, archive), join(folder, 'release.tar.gz'));
    return new Releases(folder, (JSON.parse(manifest) as { version: string }).version);
  }

  /** The version after that of this checkout. */
  get next(): string {
    return this.version.replace(/\d+$/, (patch) => String(Number(patch) + 1));
  }

  /** Makes another release of the next version, whose program begins with these lines. */
  async variant(name: string, firstLines: string): Promise<void> {
    await this.copy('release', name);
    const manifest = join(this.folder, name, 'package.json');
    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.replace(`"version": "${this.version}"`, `"version": "${this.next}"`));
    const main = join(this.folder, name, 'dist', 'main.js');
    await writeFile(main, (await readFile(main, 'utf8')).replace('\n', `\n${firstLines}\n`));
    await this.pack(name, { sums: true });
  }

  async copy(from: string, to: string): Promise<void> {
    await cp(join(this.folder, from), join(this.folder, to), { recursive: true, verbatimSymlinks: true });
  }

  /** Packs a release as its archive. `sums` renews the checksums of its files, as if it had been made so. */
  async pack(name: string, { sums }: { readonly sums: boolean }): Promise<void> {
    const list =
      'find . -type f ! -path ./SHA256SUMS -printf "%P\\0" | sort -z | xargs -0 sha256sum > ../sums && mv ../sums SHA256SUMS';
    if (sums) await execa('sh', ['-ec', list], { cwd: join(this.folder, name) });
    const archive = join(this.folder, `${name}.tar.gz`);
    await execa('tar', ['--create', '--gzip', '--file', archive, '--directory', this.folder, name]);
  }
}
