/** Programs of a test in the place of the system's, for one server with mounts of its own (mount_namespaces(7)). */

/** The first folder of the PATH that the server gives every program (src/domain/systemPath.ts). */
export const firstFolder = '/usr/local/sbin';

/** Returns a command prefix with which the programs of `folder` come first. The command keeps the process ID. */
export function withPrograms(folder: string): readonly string[] {
  const script = `mount --bind '${folder}' ${firstFolder} && exec "$@"`;
  return ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', script, 'sh'];
}
