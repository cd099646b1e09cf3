/** What each process loads at its start: a package that most of them never use costs time and memory in all of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const { bundle } = (await import(new URL('../../src/build.mjs', import.meta.url).href)) as {
  bundle(to: string, withMaps: boolean): Promise<Metafile>;
};

let folder: string;
let outputs: Metafile['outputs'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-build-'));
  ({ outputs } = await bundle(folder, false));
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Returns the built file that a module begins. */
function fileOf(module: string): string {
  const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === module);
  if (found === undefined) throw new Error(`${module} begins no file: is it still loaded when it is needed?`);
  return found[0];
}

/** Returns the modules and packages that are loaded with some modules, without what is loaded later. */
function loadedWith(modules: readonly string[]): string[] {
  const files = new Set<string>();
  const loaded = new Set<string>();
  const add = (file: string): void => {
    const output = outputs[file];
    if (output === undefined || files.has(file)) return;
    files.add(file);
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) if (bytesInOutput > 0) loaded.add(input);
    for (const { path, kind, external } of output.imports) {
      if (kind === 'dynamic-import') continue;
      if (external === true) loaded.add(`node_modules/${path}`);
      else add(path);
    }
  };
  for (const module of modules) add(fileOf(module));
  return [...loaded];
}

/** Returns those below some folders of `src/`, or in some packages. */
const among = (loaded: readonly string[], { src, packages }: { src: string[]; packages: string[] }): string[] =>
  loaded.filter(
    (input) =>
      src.some((name) => input.startsWith(`src/${name}`)) ||
      packages.some((name) => input === `node_modules/${name}` || input.includes(`node_modules/${name}/`)),
  );

const formats = ['yaml', 'csv-stringify'];
const shell = ['ink', 'ink-table', 'react'];
const certificates = ['node-forge', 'age-encryption', '@noble/curves'];

describe('what is loaded at the start', () => {
  it('of a verb on the host is a client that knows no verb, without a package', () => {
    const loaded = loadedWith(['src/main.ts', 'src/program.ts', 'src/client/run.ts', 'src/client/local/local.ts']);
    expect(loaded).toEqual(expect.arrayContaining(['src/client/commandLine.ts', 'src/client/local/localCall.ts']));
    const rooms = new Set(loaded.filter((input) => input.startsWith('src/')).map((input) => input.split('/')[1]));
    expect([...rooms].sort()).toEqual(['client', 'commandLine', 'domain', 'main.ts', 'program.ts', 'settings']);
    expect(loaded.filter((input) => input.startsWith('node_modules/'))).toEqual([]);
  });

  it('of the front has neither the shell with Ink and React nor the formats that few ask for', () => {
    const loaded = loadedWith(['src/front/main.ts']);
    expect(loaded).toEqual(expect.arrayContaining(['src/front/server.ts', 'node_modules/ssh2']));
    const src = ['core/', 'service/', 'simulated/', 'host/', 'shell/screen/', 'shell/views/', 'shell/model/'];
    expect(
      among(loaded, { src, packages: [...formats, ...shell, ...certificates, 'execa', 'pino', 'string-width'] }),
    ).toEqual([]);
  });

  it('of the shell comes in three parts, between which others have their turn', () => {
    const parts = ['node_modules/react/index.js', 'node_modules/ink/build/index.js', 'src/shell/shell.ts'];
    const loaded = parts.map((part) => new Set(loadedWith([part])));
    expect(loaded[1]).toContain('node_modules/yoga-layout/dist/src/index.js');
    expect(loaded[2]).toContain('src/shell/screen/App.tsx');
  });

  it('of core loads core itself only when the front has been started', () => {
    const loaded = loadedWith(['src/main.ts', 'src/program.ts', 'src/serve/serve.ts']);
    expect(loaded).toEqual(expect.arrayContaining(['src/core/server.ts', 'src/core/frontInterface.ts']));
    expect(
      among(loaded, { src: ['service/', 'journal/', 'catalogue/', 'core/compose.ts'], packages: ['lowdb'] }),
    ).toEqual([]);
  });

  it('of core has neither the simulated host nor what makes certificates, backups, metrics and YAML', () => {
    const loaded = loadedWith(['src/main.ts', 'src/program.ts', 'src/serve/serve.ts', 'src/core/runningCore.ts']);
    expect(loaded).toEqual(expect.arrayContaining(['src/core/compose.ts', 'src/host/runner.ts']));
    const src = ['simulated/', 'front/', 'shell/', 'prepare/', 'install/', 'catalogue/help.ts'];
    const packages = [...formats, ...shell, ...certificates, 'ssh2', 'prom-client', 'nodemailer'];
    expect(among(loaded, { src, packages })).toEqual([]);
  });
});
