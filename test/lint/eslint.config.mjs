/**
 * Lint rules for the code: typescript-eslint's strict type-checked rules, and rules of this project. layers.cjs checks
 * which folders may import which others.
 */
import { fileURLToPath } from 'node:url';
import stylistic from '@stylistic/eslint-plugin';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The only modules of src/ that start programs. All others use the runner. */
const startsPrograms = [
  'src/host/runner.ts',
  'src/host/programStreams.ts',
  'src/repository/snapshotReader.ts',
  'src/prepare/**',
  'src/install/step/onlyInstaller.ts',
  'src/core/processes/spawnedProcess.ts',
  'src/metrics/metricsProcess.ts',
  'src/bootstrap.mjs',
  'src/build.mjs',
];

const childProcess = {
  name: 'node:child_process',
  importNames: ['exec', 'execSync', 'default'],
  message: 'exec and execSync start a shell: use spawn or execFile with an argument array, by name.',
};
const unprefixed = { name: 'child_process', message: 'Import node:child_process instead.' };

const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Use named exports, so that a thing has the same name everywhere.',
};
const noShell = {
  selector: "Property[key.name='shell'][value.value=true], Property[key.value='shell'][value.value=true]",
  message: 'Start programs without a shell, with an argument array.',
};
const noShellAtAll = {
  selector: "Property[key.name='shell'], Property[key.value='shell']",
  message: 'Start programs without a shell, with an argument array. The option must not be set at all.',
};

export default tseslint.config(
  // The generated types are as their generator writes them.
  { ignores: ['**/node_modules/**', '**/dist/**', 'src/grpc/generated/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    name: 'every script',
    files: ['**/*.ts', '**/*.tsx', '**/*.mjs'],
    plugins: { '@typescript-eslint': tseslint.plugin, '@stylistic': stylistic },
    languageOptions: { parser: tseslint.parser },
    rules: {
      // Prettier breaks code; comments are broken by hand.
      '@stylistic/max-len': [
        'error',
        { code: 120, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true },
      ],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      'no-restricted-imports': ['error', { paths: [childProcess, unprefixed] }],
      'no-restricted-syntax': ['error', noDefaultExport, noShell],
    },
  },
  {
    name: 'TypeScript',
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: ['test/lint/tsconfig.json'], tsconfigRootDir: root } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      // A default branch handles all other values.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],

      // Rules that are loosened, because their findings here are intended:
      // numbers and booleans are readable in messages;
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => timer.clear()` and `return reject()` are common for functions that return nothing;
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // [...text] splits into code points, as needed to count and to cut text;
      '@typescript-eslint/no-misused-spread': 'off',
      // dictionaries read from JSON have dynamic keys.
      '@typescript-eslint/no-dynamic-delete': 'off',
    },
  },
  {
    name: 'source code',
    files: ['src/**'],
    rules: {
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    name: 'modules that use schemas',
    files: ['src/**'],
    ignores: ['src/domain/check.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['issues', 'prettifyError', 'treeifyError', 'flattenError', 'formatError'].map((property) => ({
          property,
          message: 'Use check of src/domain/check.ts: no text of the validator may reach anyone.',
        })),
      ],
    },
  },
  {
    name: 'modules that do not start programs',
    files: ['src/**'],
    ignores: startsPrograms,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'node:child_process', message: 'Use src/host/runner.ts to start host programs.' },
            { name: 'execa', message: 'Use src/host/runner.ts to start host programs.' },
            unprefixed,
          ],
        },
      ],
    },
  },
  {
    name: 'modules that start programs',
    files: startsPrograms,
    rules: { 'no-restricted-syntax': ['error', noDefaultExport, noShellAtAll] },
  },
  {
    name: 'tests',
    files: ['test/**'],
    rules: {
      // Tests use the parsed output of programs unchecked, because assertions check it.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      // A variable that a callback changes while a test waits looks constant to the type checker.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // Test doubles are passed as functions and do not use `this`.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    name: 'configurations, which must have a default export',
    files: ['**/*.config.ts', '**/*.config.mjs'],
    rules: { 'no-restricted-syntax': ['error', noShell] },
  },
);
