import { ESLint } from 'eslint';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const eslint = new ESLint({ cwd: root, overrideConfigFile: join(root, 'test', 'lint', 'eslint.config.mjs') });

/**
 * Returns the rules that a text violates at this path. The texts are untyped scripts, so that ESLint does not start the
 * type checker.
 */
async function broken(path: string, text: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(text, { filePath: join(root, path) });
  return (result?.messages ?? []).map(({ ruleId }) => ruleId);
}

describe('the ESLint rules', () => {
  it.each([
    ['node:child_process', 'spawn'],
    ['node:child_process', 'execFile'],
    ['execa', 'execa'],
    ['child_process', 'spawn'],
  ])('refuse %s in files that may not start programs: %s', async (module, name) => {
    const text = `import { ${name} } from '${module}';\nexport const used = ${name};\n`;
    for (const path of ['src/service/x.mjs', 'src/core/x.mjs', 'src/front/x.mjs', 'src/x.mjs'])
      expect(await broken(path, text)).toEqual(['no-restricted-imports']);
  });

  it('allow the preparation and the bootstrap to start programs, but not through a shell', async () => {
    for (const path of ['src/prepare/x.mjs', 'src/bootstrap.mjs']) {
      expect(await broken(path, "import { spawn } from 'node:child_process';\nexport const used = spawn;\n")).toEqual(
        [],
      );
      expect(await broken(path, "import { exec } from 'node:child_process';\nexport const used = exec;\n")).toEqual([
        'no-restricted-imports',
      ]);
      expect(
        await broken(path, "import { execSync } from 'node:child_process';\nexport const used = execSync;\n"),
      ).toEqual(['no-restricted-imports']);
    }
  });

  it.each(['{ shell: true }', "{ 'shell': true }", "{ cwd: '/', shell: true }"])(
    'refuse %s everywhere',
    async (options) => {
      const text = `export const options = ${options};\n`;
      for (const path of ['src/service/x.mjs', 'src/prepare/x.mjs', 'test/ssh/x.mjs'])
        expect(await broken(path, text)).toEqual(['no-restricted-syntax']);
    },
  );

  it('refuse a named shell in files that may start programs', async () => {
    expect(await broken('src/prepare/x.mjs', "export const options = { shell: '/bin/sh' };\n")).toEqual([
      'no-restricted-syntax',
    ]);
  });

  it('refuse default exports, loose equality and console output in src', async () => {
    expect(await broken('src/service/x.mjs', 'export default 1;\n')).toEqual(['no-restricted-syntax']);
    expect(await broken('src/service/x.mjs', 'export const same = (a, b) => a == b;\n')).toEqual(['eqeqeq']);
    expect(await broken('src/service/x.mjs', "console.log('here');\n")).toEqual(['no-console']);
  });

  it('keep what the validator says inside src/domain/check.ts', async () => {
    const text = 'export const why = (error) => error.issues[0].message;\n';
    expect(await broken('src/service/x.mjs', text)).toEqual(['no-restricted-properties']);
    expect(
      await broken('src/service/x.mjs', "import { z } from 'zod';\nexport const why = z.prettifyError;\n"),
    ).toEqual(['no-restricted-properties']);
  });

  it('accept a plain module', async () => {
    expect(
      await broken(
        'src/service/x.mjs',
        "import { readFile } from 'node:fs/promises';\nexport const read = (path) => readFile(path, 'utf8');\n",
      ),
    ).toEqual([]);
  });
});
