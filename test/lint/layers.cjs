/**
 * Which folders of src/ may import which others (docs/design.md, "The house").
 *
 * A folder that is not listed may import no other folder, so a new folder must be added first. The tests in
 * test/parts/lint/layers.test.ts run these rules on a tree of broken fixtures.
 */

const { join } = require('node:path');

/** Folder → the other folders that it may import. Files in src/ itself are listed with their extension. */
const layers = {
  domain: [],
  settings: ['domain'],
  host: ['domain'],
  journal: ['domain'],
  repository: ['domain'],
  catalogue: ['domain'],
  protocol: ['domain'],
  identity: ['domain'],
  metrics: ['domain'],
  admission: ['domain'],
  connectionLimits: ['domain'],
  grpc: ['domain'],
  client: ['commandLine', 'catalogue', 'grpc', 'settings', 'domain'],
  simulated: ['host', 'domain'],
  service: ['host', 'journal', 'repository', 'settings', 'domain'],
  prepare: ['host', 'settings', 'domain'],
  install: ['prepare', 'host', 'settings', 'domain'],
  commandLine: ['catalogue', 'protocol', 'settings', 'domain'],
  shell: ['catalogue', 'protocol', 'domain'],
  core: [
    'service',
    'simulated',
    'commandLine',
    'catalogue',
    'protocol',
    'identity',
    'metrics',
    'journal',
    'repository',
    'host',
    'settings',
    'domain',
  ],
  front: ['shell', 'commandLine', 'catalogue', 'protocol', 'identity', 'admission', 'connectionLimits', 'domain'],
  remote: ['commandLine', 'catalogue', 'protocol', 'grpc', 'admission', 'connectionLimits', 'domain'],
  docs: ['catalogue', 'grpc', 'settings', 'domain'],
  serve: ['core', 'prepare', 'host', 'settings', 'domain'],
  'program.ts': ['serve', 'install', 'client', 'commandLine', 'catalogue', 'settings', 'domain'],
  'main.ts': ['program.ts'],
  // Applies the patches to the SSH library.
  'checkout.mjs': [],
  'build.mjs': [],
  'bootstrap.mjs': ['front', 'checkout.mjs'],
};

/**
 * The rules within a folder: room → the other rooms that it may import. '.' stands for the files in the folder itself.
 * Nested rooms are listed with their path.
 */
const rooms = {
  commandLine: {
    '.': [],
    otherEnd: ['.'],
  },
  domain: {
    '.': [],
    values: ['.'],
    keys: ['values', '.'],
    access: ['keys', 'values', '.'],
    results: ['access', 'values', '.'],
    events: ['results', '.'],
  },
  host: {
    '.': [],
    incus: ['.'],
    mirror: ['incus', '.'],
    firewall: ['.'],
    sshd: ['.'],
    zfs: ['.'],
    outside: ['.'],
  },
  journal: {
    undo: [],
    '.': ['undo'],
    history: ['.'],
  },
  install: {
    step: [],
    program: ['step'],
    dataDisk: ['step'],
    '.': ['program', 'dataDisk', 'step'],
  },
  repository: {
    stores: [],
    '.': ['stores'],
  },
  catalogue: {
    declaration: [],
    verbs: ['declaration'],
    output: ['declaration'],
    '.': ['output', 'verbs', 'declaration'],
  },
  service: {
    isolation: [],
    instances: ['isolation'],
    images: ['instances', 'isolation'],
    backups: ['instances', 'isolation'],
    firewall: ['instances'],
    checks: ['certificates', 'images', 'firewall', 'instances', 'isolation'],
    keeping: [],
    notify: [],
    alerts: ['access', 'checks', 'certificates', 'firewall', 'instances', 'keeping', 'notify'],
    report: ['alerts', 'checks', 'certificates', 'instances', 'trash'],
    certificates: [],
    access: ['certificates', 'instances'],
    debug: ['checks', 'instances'],
    shells: ['snapshots', 'instances'],
    snapshots: ['instances'],
    trash: ['snapshots', 'instances'],
    drift: ['trash', 'images', 'instances', 'isolation'],
    undo: ['.', 'trash', 'instances'],
    // What the server does by itself uses the capabilities as a caller does.
    jobs: ['.', 'alerts', 'report', 'images', 'trash', 'snapshots', 'instances'],
    '.': [
      'alerts',
      'report',
      'keeping',
      'drift',
      'trash',
      'checks',
      'debug',
      'images',
      'access',
      'certificates',
      'shells',
      'snapshots',
      'backups',
      'firewall',
      'instances',
      'isolation',
    ],
  },
  core: {
    processes: [],
    logins: ['turns'],
    records: [],
    connections: ['records'],
    schedule: [],
    start: [],
    turns: [],
    calls: ['records', 'turns'],
    plan: ['calls', 'logins', 'schedule', 'start'],
    entryPoints: ['calls', 'logins', 'processes', 'turns'],
    '.': [
      'processes',
      'logins',
      'records',
      'connections',
      'schedule',
      'start',
      'turns',
      'calls',
      'plan',
      'entryPoints',
    ],
  },
  front: {
    transport: [],
    guards: ['transport'],
    admission: ['transport'],
    sessions: ['transport'],
    connections: ['sessions', 'admission', 'guards', 'transport'],
    patches: [],
    '.': ['connections', 'sessions', 'admission', 'guards', 'transport'],
  },
  simulated: {
    state: [],
    program: ['state'],
    faults: ['program', 'state'],
    inside: ['program', 'state'],
    accounts: ['faults', 'program', 'state'],
    network: ['program', 'state'],
    sshd: ['faults', 'program', 'state'],
    incus: ['inside', 'faults', 'program', 'state'],
    zfs: ['faults', 'program', 'state'],
    outside: ['program', 'state'],
    '.': ['incus', 'accounts', 'network', 'sshd', 'zfs', 'outside', 'inside', 'faults', 'program', 'state'],
  },
  // The screen imports the model, never the reverse.
  shell: {
    terminal: [],
    composer: ['terminal'],
    items: [],
    forms: ['composer', 'items'],
    model: ['composer', 'items', 'terminal'],
    screen: ['composer', 'forms', 'items', 'model', 'terminal'],
    plain: ['composer', 'forms', 'items', 'model', 'terminal'],
    'views/model': [],
    'views/layout': ['views/model', 'items', 'model'],
    'views/control': ['views/model', 'views/layout', 'composer', 'forms', 'items', 'screen', 'model'],
    views: [
      'views/control',
      'views/layout',
      'views/model',
      'composer',
      'forms',
      'items',
      'screen',
      'model',
      'terminal',
    ],
    '.': ['plain', 'screen', 'model', 'terminal', 'views'],
  },
};

/** The modules that start a program. Each other module must be reachable from one of them. */
const entryPoints =
  '^src/(main|front/main|remote/main|client/main|metrics/main|repository/snapshotReader|docs/generate)\\.ts$';

const isFile = (layer) => layer.includes('.');
/** Matches the files in a room itself, without those in nested rooms. */
const filesOf = (folder, room) => (room === '.' ? `^src/${folder}/[^/]+$` : `^src/${folder}/${room}/[^/]+$`);
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
      comment: 'a folder that is not listed in test/lint/layers.cjs may import no other folder',
      severity: 'error',
      from: { path: '^src/', pathNot: named },
      to: { path: '^src/' },
    },
    ...Object.entries(rooms).flatMap(([folder, inside]) =>
      Object.entries(inside).map(([room, below]) => ({
        name: `room-${folder}-${room}`,
        comment: `src/${folder}/${room} may import ${below.length === 0 ? 'no other room' : below.join(', ')}`,
        severity: 'error',
        from: { path: filesOf(folder, room) },
        to: { path: `^src/${folder}/`, pathNot: [room, ...below].map((name) => filesOf(folder, name)) },
      })),
    ),
    ...Object.entries(rooms).map(([folder, inside]) => ({
      name: `room-unnamed-${folder}`,
      comment: `a room of src/${folder} that is not listed in test/lint/layers.cjs may import no other module`,
      severity: 'error',
      from: { path: `^src/${folder}/`, pathNot: Object.keys(inside).map((room) => filesOf(folder, room)) },
      to: { path: '^src/' },
    })),
    {
      name: 'no-circle',
      comment: 'modules must not import each other in a circle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-dead-module',
      comment: 'no entry point reaches this module',
      severity: 'error',
      from: { path: entryPoints },
      to: { path: '^src/.*\\.tsx?$', pathNot: entryPoints, reachable: false },
    },
    {
      name: 'no-orphan',
      comment: 'this module imports no other module, and no other module imports it',
      severity: 'error',
      from: { orphan: true },
      to: {},
    },
    {
      name: 'resolvable',
      comment: 'this import cannot be resolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'shipped-only',
      comment:
        'src/ may import only packages in dependencies, not those in devDependencies or of other packages; the build is not shipped',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/build\\.mjs$' },
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
