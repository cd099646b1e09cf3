/**
 * A network namespace (network_namespaces(7)) for a server and those who try it, with a loopback interface of its own:
 * thousands of connections a second use up the ports of nobody else.
 */
const isRoot = process.getuid?.() === 0;

/** Runs the command behind it in a new namespace. It keeps its process id. */
export const inNewNetwork: readonly string[] = [
  'unshare',
  '--net',
  ...(isRoot ? [] : ['--map-current-user', '--keep-caps']),
  'sh',
  '-c',
  'ip link set lo up && exec "$@"',
  'sh',
];

/** Runs the command behind it in the namespace of a process. */
export function inNetworkOf(pid: number): string[] {
  return ['nsenter', `--target=${pid}`, '--net', ...(isRoot ? [] : ['--user', '--preserve-credentials']), '--'];
}
