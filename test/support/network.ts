/**
 * A network namespace (network_namespaces(7)) with a loopback interface of its own for a server and its attackers, so
 * that thousands of connections a second do not use up the ports of the machine.
 */
const isRoot = process.getuid?.() === 0;

/** Command prefix that runs a command in a new namespace. The command keeps the process ID. */
export const inNewNetwork: readonly string[] = [
  'unshare',
  '--net',
  ...(isRoot ? [] : ['--map-current-user', '--keep-caps']),
  'sh',
  '-c',
  'ip link set lo up && exec "$@"',
  'sh',
];

/** Returns a command prefix that runs a command in the namespace of a process. */
export function inNetworkOf(pid: number): string[] {
  return ['nsenter', `--target=${pid}`, '--net', ...(isRoot ? [] : ['--user', '--preserve-credentials']), '--'];
}
