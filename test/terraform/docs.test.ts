import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeIn } from '../unit/docs/markdown.ts';
import { packageRoot } from '../../src/domain/packageRoot.ts';
import { checkSettings } from '../../src/settings/settings.ts';
import { at, plan } from './plan.ts';
import { clouds, skipReason, type Cloud } from './tools.ts';
import { given, sampleKey, source, Workspace } from './workspace.ts';

const page = readFileSync(join(packageRoot, 'docs/deployment.md'), 'utf8');

/** Names that the .tf files of a cloud declare, for example its variables. */
function declared(cloud: Cloud, kind: 'variable' | 'output' | 'resource'): ReadonlySet<string> {
  const files = readdirSync(join(source, cloud)).filter((name) => name.endsWith('.tf'));
  const text = files.map((name) => readFileSync(join(source, cloud, name), 'utf8')).join('\n');
  const names = [...text.matchAll(new RegExp(`^${kind} "(\\w+)"(?: "(\\w+)")?`, 'gm'))];
  return new Set(names.map(([, name = '', label]) => (label === undefined ? name : `${name}.${label}`)));
}

/** The rows of the table whose first column has this title, cell by cell. */
function table(title: string): readonly (readonly string[])[] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => new RegExp(`^\\| ${title} +\\|`).test(line));
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

/** Returns the blocks of HCL in the page that begin with this text. */
function blocks(beginning: string): readonly string[] {
  return [...page.matchAll(/^```hcl\n(.*?)^```$/gms)].flatMap(([, text = '']) =>
    text.startsWith(beginning) ? [text.trimEnd()] : [],
  );
}

/** The original's, by what its README and its files have. */
const originals = { variable: 28, output: 20, example: 5 } as const;

describe('docs/deployment.md', () => {
  it.each(['variable', 'output', 'example'] as const)('says what became of each %s of the original', (kind) => {
    const rows = table(kind === 'example' ? 'former example' : kind);
    expect(rows).toHaveLength(originals[kind]);
    expect(new Set(rows.map(([name]) => name)).size).toBe(rows.length);
    const here =
      kind === 'example'
        ? new Set(readdirSync(join(source, 'gce', 'examples')).map((name) => name.replace(/\.tfvars$/, '')))
        : declared('gce', kind);
    for (const [name = '', now = '', why = ''] of rows) {
      const renamed = /^renamed (\S+)$/.exec(now)?.[1];
      if (now === 'kept') expect(here, name).toContain(name);
      else {
        expect(here, name).not.toContain(name);
        expect(why, name).not.toBe('');
        if (renamed === undefined) expect(now, name).toBe('dropped');
        else expect(here, name).toContain(renamed);
      }
    }
  });

  it('names variables, outputs, resources and files of terraform/ that exist', () => {
    const commands = codeIn(page).flatMap((line) => /^\$ ((?:terraform|cp examples).*)$/.exec(line)?.[1] ?? []);
    expect(commands.length).toBeGreaterThan(8);
    const wrong: string[] = [];
    for (const command of commands) {
      for (const [, name = ''] of command.matchAll(/-var (\w+)=/g))
        if (!clouds.every((cloud) => declared(cloud, 'variable').has(name))) wrong.push(`${command}: variable ${name}`);
      const output = /^terraform output (?:-\w+ )?(\w+)/.exec(command)?.[1];
      if (output !== undefined && !clouds.every((cloud) => declared(cloud, 'output').has(output)))
        wrong.push(`${command}: output ${output}`);
      const address = /'(\w+\.\w+)\[/.exec(command)?.[1];
      if (address !== undefined && !declared('gce', 'resource').has(address)) wrong.push(`${command}: ${address}`);
      const file = /(examples\/\S+)/.exec(command)?.[1];
      if (file !== undefined && !clouds.every((cloud) => existsSync(join(source, cloud, file)))) wrong.push(command);
    }
    expect(wrong).toEqual([]);
  });
});

describe('the settings in docs/deployment.md', () => {
  it('are accepted', () => {
    const text = blocks('settings = <<-EOT')[0]?.split('\n').slice(1, -1).join('\n');
    const { backups } = checkSettings(parse(text ?? ''), 'the page');
    expect(backups.s3?.bucket).toBe('example-backups');
  });
});

describe.skipIf(skipReason !== undefined)('the module in docs/deployment.md', () => {
  it('has a plan with user-data for its server', async () => {
    const workspace = await Workspace.open(source, []);
    try {
      const [module = ''] = blocks('module "jump_host"');
      const complete = module
        .replace('./terraform/modules', './modules')
        .replace('"…"', JSON.stringify('0'.repeat(64)));
      await writeFile(join(workspace.root, 'main.tf'), `${complete}\noutput "all" {\n  value = module.jump_host\n}\n`);
      await writeFile(join(workspace.root, 'carol.pub'), `${sampleKey}\n`);
      await workspace.mustRun('.', ['get', '-no-color']);
      const { outputs } = await plan(workspace, '.', []);
      expect(at(outputs['all'], 'user_data', 'jump')).toMatch(/^#cloud-config\n/);
    } finally {
      await workspace.close();
    }
  });
});

describe.skipIf(skipReason !== undefined)('the cost table of docs/deployment.md', () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await Workspace.open();
  });
  afterAll(() => workspace.close());

  it('is what Terraform computes from the default prices', async () => {
    const computed: string[][] = [];
    for (const [name = ''] of table('example')) {
      const row: string[] = [];
      for (const cloud of clouds) {
        const variables = await workspace.variables(cloud, given[cloud]);
        const { outputs } = await plan(workspace, cloud, [variables, `-var-file=examples/${name}.tfvars`]);
        const cost = (key: string): number => Number(at(outputs['monthly_cost'], key));
        if (row.length === 0) row.push(name, `${cost('servers')}`, `${cost('users')}`);
        row.push(
          String(at(outputs['capacity_info'], 'machine_type')),
          cost('total').toFixed(2),
          cost('per_user').toFixed(2),
        );
      }
      computed.push(row);
    }
    expect(table('example')).toEqual(computed);
  });
});
