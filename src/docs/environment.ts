/** The environment variables that the server and its command line read. A test holds this list against the sources. */
export const environment: readonly (readonly [name: string, meaning: string])[] = [
  [
    'CONTAINARIUM_HOME',
    'Folder of every file that the server writes or reads: state, journal, keys, configuration. Default: `/var/lib/containarium` for root on a real host, otherwise the checkout.',
  ],
  [
    'CONTAINARIUM_CONFIG',
    'Path of the configuration file. Default: `containarium.yaml` in the home. `serve --config <file>` goes before it.',
  ],
  [
    'CONTAINARIUM_LISTEN',
    'Address and port of the SSH server, over `listen` in the file. With port 0 a free one is taken and printed.',
  ],
  [
    'CONTAINARIUM_HOST',
    '`incus` or `simulated`, over `host` in the file. `serve --real` and `serve --simulated` go before it.',
  ],
  [
    'CONTAINARIUM_FRONT',
    '`child` or `unit`: how the process that speaks SSH is started. Default: `child`; the installed service says `unit`, see [design](design.md#two-processes).',
  ],
  [
    'CONTAINARIUM_LOG',
    'What the server logs on standard error: `fatal`, `error`, `warn`, `info`, `debug` or `trace`. Default: `warn`; `info` where it is the journal.',
  ],
  [
    'CONTAINARIUM_SIMULATED_PACE_MS',
    'How long the simulated host takes for a change, in milliseconds, so that progress can be seen. Default: 150; 0 for tests.',
  ],
  ['INCUS_SOCKET', "Incus's own: its socket, where it is not `unix.socket` in `INCUS_DIR`."],
  ['INCUS_DIR', "Incus's own: where its socket and its state are. Default: `/var/lib/incus`."],
];
