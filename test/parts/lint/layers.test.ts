import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = join(root, 'node_modules', '.bin', 'depcruise');
const rules = join(root, 'test', 'lint', 'layers.cjs');

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

let folder: string | undefined;
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** Runs the layer rules on a temporary tree. Returns each violation as `rule: from → to`. */
function findings(files: Readonly<Record<string, string>>): string[] {
  folder = mkdtempSync(join(tmpdir(), 'containarium-layers-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const { stdout, stderr } = spawnSync(process.execPath, [program, '--config', rules, '--output-type', 'json', 'src'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[] } };
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`).sort();
}

const manifest = JSON.stringify({
  name: 'fixture',
  version: '1.0.0',
  type: 'module',
  dependencies: {},
  devDependencies: {},
});
const sound = {
  'package.json': manifest,
  'src/main.ts': "import { serve } from './program.ts';\nserve();\n",
  'src/program.ts': "export { serve } from './serve/serve.ts';\n",
  'src/serve/serve.ts': "import { core } from '../core/server.ts';\nexport const serve = (): number => core;\n",
  'src/core/server.ts': "import { service } from '../service/create.ts';\nexport const core = service;\n",
  'src/service/create.ts': "import { value } from '../domain/value.ts';\nexport const service = value;\n",
  'src/domain/value.ts': 'export const value = 1;\n',
};

const importing = (path: string): string => `import { value } from '${path}';\nexport const used = value;\n`;

describe('the layer rules', () => {
  it('find nothing in a tree whose imports all point downward', () => {
    expect(findings(sound)).toEqual([]);
  });

  it('find imports that point upward between the subfolders of a folder, and none that point downward', () => {
    const upward = [
      ['shell/model', 'shell/screen'],
      ['shell/views/model', 'shell/views/control'],
      ['core/logins', 'core/entryPoints'],
      ['front/transport', 'front/sessions'],
      ['domain/values', 'domain/keys'],
      ['service/instances', 'service/access'],
      ['simulated/state', 'simulated/incus'],
      ['catalogue/declaration', 'catalogue/verbs'],
    ] as const;
    const depth = (room: string): string => '../'.repeat(room.split('/').length);
    const files = upward.flatMap(([from, to]) => [
      [`src/${from}/a.ts`, importing(`${depth(from)}${to}/b.ts`)],
      [`src/${to}/b.ts`, 'export const value = 1;\n'],
      [`src/${to}/down.ts`, importing(`${depth(to)}${from}/value.ts`)],
      [`src/${from}/value.ts`, 'export const value = 1;\n'],
    ]);
    const found = findings({ ...sound, ...(Object.fromEntries(files) as Record<string, string>) });
    expect(found.filter((line) => line.startsWith('room-'))).toEqual(
      upward.map(([from, to]) => `room-${from.replace('/', '-')}: src/${from}/a.ts → src/${to}/b.ts`).sort(),
    );
  });

  it('find a subfolder without a rule, and a file that imports from the folder above its own', () => {
    const found = findings({
      ...sound,
      'src/service/nowhere/a.ts': importing('../../domain/value.ts'),
      'src/service/instances/b.ts': importing('../create.ts').replace('{ value }', '{ service as value }'),
    });
    expect(found).toContain('room-unnamed-service: src/service/nowhere/a.ts → src/domain/value.ts');
    expect(found).toContain('room-service-instances: src/service/instances/b.ts → src/service/create.ts');
  });

  it('find every import that points upward', () => {
    const upward = [
      ['front', 'service'],
      ['front', 'core'],
      ['front', 'host'],
      ['front', 'journal'],
      ['front', 'settings'],
      ['commandLine', 'service'],
      ['commandLine', 'core'],
      ['metrics', 'core'],
      ['catalogue', 'host'],
      ['catalogue', 'service'],
      ['service', 'catalogue'],
      ['service', 'core'],
      ['service', 'simulated'],
      ['simulated', 'service'],
      ['journal', 'host'],
      ['protocol', 'core'],
      ['host', 'service'],
      ['settings', 'host'],
      ['prepare', 'service'],
      ['docs', 'core'],
      ['domain', 'settings'],
      ['domain', 'host'],
    ] as const;
    const files = upward.flatMap(([from, to]) => [
      [`src/${from}/uses-${to}.ts`, importing(`../${to}/two.ts`)],
      [`src/${to}/two.ts`, 'export const value = 1;\n'],
    ]);
    const found = findings({ 'package.json': manifest, ...(Object.fromEntries(files) as Record<string, string>) });
    for (const [from, to] of upward)
      expect(found).toContain(`layer-${from}: src/${from}/uses-${to}.ts → src/${to}/two.ts`);
  });

  it('find a type-only import', () => {
    const found = findings({
      ...sound,
      'src/domain/value.ts': "import type { Service } from '../service/types.ts';\nexport const value: Service = 1;\n",
      'src/service/types.ts': 'export type Service = number;\n',
    });
    expect(found).toEqual(['layer-domain: src/domain/value.ts → src/service/types.ts']);
  });

  it('find a folder without a rule', () => {
    const found = findings({
      ...sound,
      'src/main.ts': `${sound['src/main.ts']}import './telemetry/send.ts';\n`,
      'src/telemetry/send.ts': importing('../domain/value.ts'),
    });
    expect(found).toContain('layer-unnamed: src/telemetry/send.ts → src/domain/value.ts');
    expect(found).toContain('layer-main.ts: src/main.ts → src/telemetry/send.ts');
  });

  it('find a circular import', () => {
    const found = findings({
      ...sound,
      'src/domain/value.ts': "import { other } from './other.ts';\nexport const value = 1 + other;\n",
      'src/domain/other.ts': "import type { value } from './value.ts';\nexport const other: typeof value = 1;\n",
    });
    expect(found).toEqual([
      expect.stringMatching(/^no-circle: src\/domain\/(value|other)\.ts → src\/domain\/(value|other)\.ts$/),
    ]);
  });

  it('find a module that is not reachable from src/main.ts', () => {
    expect(findings({ ...sound, 'src/service/unused.ts': importing('../domain/value.ts') })).toEqual([
      'no-dead-module: src/service/unused.ts → src/service/unused.ts',
    ]);
  });

  it('find an import of a missing file', () => {
    expect(findings({ ...sound, 'src/domain/value.ts': "export { value } from './gone.ts';\n" })).toEqual([
      'resolvable: src/domain/value.ts → ./gone.ts',
    ]);
  });

  it('find an import of a development dependency', () => {
    const found = findings({
      ...sound,
      'package.json': JSON.stringify({ ...(JSON.parse(manifest) as object), devDependencies: { helper: '1.0.0' } }),
      'node_modules/helper/package.json': JSON.stringify({
        name: 'helper',
        version: '1.0.0',
        type: 'module',
        main: 'index.js',
      }),
      'node_modules/helper/index.js': 'export const value = 1;\n',
      'src/domain/value.ts': importing('helper').replace('used', 'value2') + "export { value } from 'helper';\n",
    });
    expect(found).toContain('shipped-only: src/domain/value.ts → node_modules/helper/index.js');
  });
});
