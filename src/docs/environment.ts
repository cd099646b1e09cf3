/** The environment variables that server and command line read. A test compares this list with the sources. */
export const environment: readonly (readonly [name: string, meaning: string])[] = [
  [
    'CONTAINARIUM_HOME',
    "The server's home: the folder of its state, journal, keys and configuration. Default: `/var/lib/containarium` for root on a real host, otherwise the checkout.",
  ],
  [
    'CONTAINARIUM_CONFIG',
    'Path of the configuration file. Default: `containarium.yaml` in the home. `serve --config <file>` overrides it.',
  ],
  [
    'CONTAINARIUM_LISTEN',
    'Address and port of the SSH server; overrides `listen` in the file. With port 0, the server chooses a free port and prints it.',
  ],
  [
    'CONTAINARIUM_HOST',
    '`auto`, `incus` or `simulated`; overrides `host` in the file. `serve --real` and `serve --simulated` override it.',
  ],
  [
    'CONTAINARIUM_FRONT',
    'How the processes that serve clients are started: `child` or `unit`. Default: `child`; the installed service sets `unit` (see [design](design.md#two-processes)).',
  ],
  [
    'CONTAINARIUM_SERVER',
    'Address of a server elsewhere, `host:port`, for command lines without `--server` ([remote](remote.md#which-server)).',
  ],
  [
    'CONTAINARIUM_CERTS',
    'Folder of the certificates for a server elsewhere. Default: `~/.config/containarium/certs`. `--certs-dir` overrides it.',
  ],
  [
    'CONTAINARIUM_LOG',
    'Log level on standard error: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`. Default: `warn`, or `info` if standard error is the systemd journal.',
  ],
  [
    'CONTAINARIUM_SIMULATED_PACE_MS',
    'How long a change takes on the simulated host, in milliseconds, so that progress is visible. Default: 150. Tests use 0.',
  ],
  ['INCUS_SOCKET', 'A variable of Incus: the path of its socket. Default: `unix.socket` in `INCUS_DIR`.'],
  ['INCUS_DIR', 'A variable of Incus: the folder of its socket and state. Default: `/var/lib/incus`.'],
];
