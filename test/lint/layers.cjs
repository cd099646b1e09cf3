/**
 * Which folder of src/ may know which: arrows run downward only (docs/design.md, "The house").
 *
 * A folder that is not named here may import nothing of ours, so a new folder has to be given its place first. What the
 * rules forbid is tried on a tree of broken fixtures in test/unit/lint/layers.test.ts.
 */

const { join } = require('node:path');

/** Folder → the other folders it may import. Files directly in src/ are named with their ending. */
const layers = {
  domain: [],
  settings: ['domain'],
  host: ['domain'],
  journal: ['domain'],
  catalogue: ['domain'],
  protocol: ['domain'],
  identity: ['domain'],
  simulated: ['host', 'domain'],
  service: ['host', 'journal', 'settings', 'domain'],
  prepare: ['host', 'settings', 'domain'],
  headless: ['catalogue', 'protocol', 'domain'],
  shell: ['catalogue', 'protocol', 'domain'],
  core: ['service', 'simulated', 'catalogue', 'protocol', 'identity', 'journal', 'host', 'settings', 'domain'],
  front: ['shell', 'headless', 'catalogue', 'protocol', 'identity', 'domain'],
  metrics: [],
  docs: ['catalogue', 'settings', 'domain'],
  local: ['core', 'headless', 'prepare', 'catalogue', 'protocol', 'host', 'settings', 'domain'],
  'main.ts': ['local', 'catalogue', 'settings', 'domain'],
  // Patches the SSH library that it has just installed.
  'bootstrap.mjs': ['front'],
};

/** The same inside src/shell: what draws knows the conversation, the conversation knows no screen. */
const shellRooms = {
  terminal: [],
  composer: ['terminal'],
  items: [],
  forms: ['composer', 'items'],
  session: ['composer', 'items', 'terminal'],
  screen: ['composer', 'forms', 'items', 'session', 'terminal'],
  plain: ['composer', 'forms', 'items', 'session', 'terminal'],
  views: ['composer', 'forms', 'items', 'screen', 'session', 'terminal'],
};

/** What is started from outside: everything else has to be needed by one of these. */
const entryPoints = '^src/(main|front/main|metrics/main|docs/generate)\\.ts$';

const isFile = (layer) => layer.includes('.');
const pathOf = (layer) => (isFile(layer) ? `^src/${layer.replace('.', '\\.')}$` : `^src/${layer}/`);

const named = `^src/(${Object.keys(layers)
  .map((layer) => (isFile(layer) ? `${layer.replace('.', '\\.')}$` : `${layer}/`))
  .join('|')})`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(layers).map(([layer, below]) => ({
      name: `layer-${layer}`,
      comment: `src/${layer} may import ${below.length === 0 ? 'no other folder' : below.map((name) => `src/${name}`).join(', ')}`,
      severity: 'error',
      from: { path: pathOf(layer) },
      to: { path: '^src/', pathNot: [layer, ...below].map(pathOf) },
    })),
    {
      name: 'layer-unnamed',
      comment: 'A folder without a place in test/lint/layers.cjs may import nothing of ours',
      severity: 'error',
      from: { path: '^src/', pathNot: named },
      to: { path: '^src/' },
    },
    ...Object.entries(shellRooms).map(([room, below]) => ({
      name: `shell-${room}`,
      comment: `src/shell/${room} may import ${below.length === 0 ? 'no other room of the shell' : below.join(', ')}`,
      severity: 'error',
      from: { path: `^src/shell/${room}/` },
      to: { path: '^src/shell/', pathNot: [room, ...below].map((name) => `^src/shell/${name}/`) },
    })),
    {
      name: 'no-circle',
      comment: 'Modules that need each other cannot be understood one by one',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-dead-module',
      comment: 'No entry point needs this module',
      severity: 'error',
      from: { path: entryPoints },
      to: { path: '^src/.*\\.tsx?$', pathNot: entryPoints, reachable: false },
    },
    {
      name: 'no-orphan',
      comment: 'Nothing needs this module and it needs nothing',
      severity: 'error',
      from: { orphan: true },
      to: {},
    },
    {
      name: 'resolvable',
      comment: 'This import leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'shipped-only',
      comment:
        'src/ may use what is installed with the product: dependencies, not devDependencies or what other packages bring along',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: join(__dirname, '..', '..', 'tsconfig.json') },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
    },
  },
};
