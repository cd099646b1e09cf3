/** Which disk of this machine a path or a device is on (sysfs, /sys/dev/block). */
import { access, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Returns the name of the disk that has a file or a folder, or that is the device; undefined if it is on none. */
export async function diskOf(path: string): Promise<string | undefined> {
  const { dev, rdev, mode } = await stat(path);
  const isBlockDevice = (mode & 0o170000) === 0o060000;
  const number = isBlockDevice ? rdev : dev;
  // Linux, sys/sysmacros.h: the minor number is split around the major one.
  const [major, minor] = [(number >> 8) & 0xfff, (number & 0xff) | ((number >> 12) & 0xfff00)];
  const device = await realpath(`/sys/dev/block/${major}:${minor}`).catch(() => undefined);
  if (device === undefined) return undefined;
  const isPartition = await access(join(device, 'partition')).then(
    () => true,
    () => false,
  );
  return basename(isPartition ? dirname(device) : device);
}
