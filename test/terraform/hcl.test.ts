import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skipReason, tflint } from './tools.ts';
import { source, Workspace } from './workspace.ts';

const folders = ['modules/jump-host', 'gce', 'aws'] as const;
const fixtures = join(import.meta.dirname, 'fixtures');

describe.skipIf(skipReason !== undefined)('the files of terraform/', () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await Workspace.open();
  });
  afterAll(() => workspace.close());

  it('have the layout of terraform fmt', async () => {
    expect(await workspace.run('.', ['fmt', '-check', '-recursive', '-no-color'])).toMatchObject({
      code: 0,
      stdout: '',
    });
  });

  it.each(folders)('are valid in %s, by the schema of the providers', async (folder) => {
    expect(await workspace.validate(folder)).toEqual([]);
  });

  it.each(folders)('give tflint no reason to complain in %s', async (folder) => {
    const args = [`--chdir=${folder}`, `--config=${join(source, '.tflint.hcl')}`, '--no-color'];
    const { stdout, stderr } = await execa(await tflint(), args, { cwd: workspace.root, reject: false });
    expect(stdout + stderr).toBe('');
  });

  it.each(folders)('pass the tests beside them in %s', async (folder) => {
    const { code, stdout, stderr } = await workspace.run(folder, ['test', '-no-color']);
    expect(stdout + stderr).toMatch(/^Success! [1-9]\d* passed, 0 failed\.$/m);
    expect(code).toBe(0);
  });
});

/** What the file in each folder of fixtures/ is refused for. */
const refusals: readonly (readonly [folder: string, why: RegExp])[] = [
  ['unknown-attribute', /^Unsupported argument: An argument named "sizes" is not expected here/],
  ['unknown-attribute-in-a-block', /^Unsupported argument: An argument named "kms_key" is not expected here/],
  ['unknown-block', /^Unsupported block type: Blocks of type "data_disk" are not expected here/],
  [
    'unknown-reference',
    /^Unsupported attribute: This object has no argument, nested block, or exported attribute named "ip"/,
  ],
  ['unknown-resource', /^Invalid resource type: The provider hashicorp\/google does not support resource type/],
  ['wrong-type', /^Incorrect attribute value type: Inappropriate value for attribute "size": a number is required/],
  ['missing-attribute', /^Missing required argument: The argument "name" is required/],
  ['missing-block', /^Insufficient version blocks: At least 1 "version" blocks are required/],
  ['too-many-blocks', /^Too many metadata_options blocks: No more than 1 "metadata_options" blocks are allowed/],
];

describe.skipIf(skipReason !== undefined)('the checks of terraform/', () => {
  it('refuse each broken file for what is wrong with it', async () => {
    const workspace = await Workspace.open(fixtures, []);
    try {
      const found: Record<string, string> = {};
      for (const [folder] of refusals)
        found[folder] = ((await workspace.validate(folder))[0] ?? 'accepted').replaceAll(/\s+/g, ' ');
      for (const [folder, why] of refusals) expect(found[folder], folder).toMatch(why);
      expect((await readdir(fixtures)).filter((name) => !name.startsWith('lint-')).sort()).toEqual(
        Object.keys(found).sort(),
      );
    } finally {
      await workspace.close();
    }
  });

  it('refuse a file in another layout', async () => {
    const workspace = await Workspace.open(fixtures, []);
    try {
      expect((await workspace.run('lint-layout', ['fmt', '-check', '-no-color'])).code).toBe(3);
    } finally {
      await workspace.close();
    }
  });

  it('refuse a variable that nothing uses', async () => {
    const args = [`--chdir=${join(fixtures, 'lint-unused')}`, `--config=${join(source, '.tflint.hcl')}`, '--no-color'];
    const { stdout, exitCode } = await execa(await tflint(), args, { reject: false });
    expect(stdout).toMatch(/variable "unused" is declared but not used/);
    expect(exitCode).toBe(2);
  });
});
