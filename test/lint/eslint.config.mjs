/**
 * What the code must look like beyond its types: typescript-eslint's strict rules with types, and the rules of this
 * house. Which folder may import which is checked by layers.cjs.
 */
import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The only modules of src/ that start programs: everything else asks the runner. */
const startsPrograms = [
  'src/host/runner.ts',
  'src/prepare/**',
  'src/core/front/childFront.ts',
  'src/core/front/unitFront.ts',
  'src/metrics/metricsProcess.ts',
  'src/bootstrap.mjs',
];

const childProcess = {
  name: 'node:child_process',
  importNames: ['exec', 'execSync', 'default'],
  message: 'exec and execSync start a shell: use spawn or execFile with an argument array, by name.',
};
const unprefixed = { name: 'child_process', message: 'It is node:child_process.' };

const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Named exports only: a thing has one name everywhere.',
};
const noShell = {
  selector: "Property[key.name='shell'][value.value=true], Property[key.value='shell'][value.value=true]",
  message: 'Never a shell: programs get argument arrays.',
};
const noShellAtAll = {
  selector: "Property[key.name='shell'], Property[key.value='shell']",
  message: 'Never a shell, and nothing that may become one: programs get argument arrays.',
};

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    name: 'every script',
    files: ['**/*.ts', '**/*.tsx', '**/*.mjs'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parser: tseslint.parser },
    rules: {
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
      // A default branch is an answer for every other value.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],

      // Loosened, each because what it finds here is meant:
      // numbers and booleans in sentences read as they are written;
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => timer.clear()` and `return reject()` say that nothing comes back;
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // [...text] splits into code points, which is what counting and cutting text wants;
      '@typescript-eslint/no-misused-spread': 'off',
      // dictionaries read from JSON have keys that come and go.
      '@typescript-eslint/no-dynamic-delete': 'off',
    },
  },
  {
    name: 'the product',
    files: ['src/**'],
    rules: {
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    name: 'who does not start programs',
    files: ['src/**'],
    ignores: startsPrograms,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'node:child_process', message: 'Host programs are started by src/host/runner.ts.' },
            { name: 'execa', message: 'Host programs are started by src/host/runner.ts.' },
            unprefixed,
          ],
        },
      ],
    },
  },
  {
    name: 'who starts programs',
    files: startsPrograms,
    rules: { 'no-restricted-syntax': ['error', noDefaultExport, noShellAtAll] },
  },
  {
    name: 'tests',
    files: ['test/**'],
    rules: {
      // Parsed output of programs is looked at as it comes: an assertion on it is the check.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      // What a callback changes while a test waits is not constant, though it looks so to the type checker.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // Test doubles are handed around as functions; they hold no `this`.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    name: 'configurations that their tools want as a default export',
    files: ['**/*.config.ts', '**/*.config.mjs'],
    rules: { 'no-restricted-syntax': ['error', noShell] },
  },
);
