/** Simulates `incus file push` and `incus file pull`. Only pushed files have contents. */
import { posix } from 'node:path';
import { done, incusError, incusRefusal, printed } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { instanceNamed } from '../program/lookup.ts';
import type { InstanceFiles, InstanceRecord } from '../state/state.ts';

/** The folders that every image has. */
const systemFolders: readonly string[] = [
  '/',
  '/boot',
  '/dev',
  '/etc',
  '/etc/apt',
  '/etc/default',
  '/etc/profile.d',
  '/etc/ssh',
  '/etc/sudoers.d',
  '/etc/systemd',
  '/etc/systemd/system',
  '/home',
  '/opt',
  '/root',
  '/run',
  '/srv',
  '/tmp',
  '/usr',
  '/usr/bin',
  '/usr/lib',
  '/usr/local',
  '/usr/local/bin',
  '/usr/local/sbin',
  '/usr/sbin',
  '/var',
  '/var/lib',
  '/var/log',
];

/** Splits `alice-container/etc/hosts` into the instance and an absolute path. */
function target(world: World, text: string): { instance: InstanceRecord; path: string } {
  const slash = text.indexOf('/');
  if (slash < 1) throw incusRefusal(`Invalid instance path: "${text}"`);
  return { instance: instanceNamed(world, text.slice(0, slash)), path: posix.normalize(text.slice(slash)) };
}

export function isFolder(files: InstanceFiles, path: string): boolean {
  return systemFolders.includes(path) || Object.keys(files).some((file) => file.startsWith(`${path}/`));
}

function foldersAbove(path: string): string[] {
  const above = posix.dirname(path);
  return above === '/' ? ['/'] : [...foldersAbove(above), above];
}

export interface PushOptions {
  readonly createFolders: boolean;
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
}

export function pushFile(world: World, destination: string, content: string, options: PushOptions): Answer {
  const { instance, path } = target(world, destination);
  if (isFolder(instance.files, path)) return incusError(`sftp: "open ${path}: is a directory" (SSH_FX_FAILURE)`);
  const above = foldersAbove(path);
  const inTheWay = above.find((folder) => Object.hasOwn(instance.files, folder));
  if (inTheWay !== undefined) return incusError(`${inTheWay.slice(1)} is not a directory`);
  if (!options.createFolders && !isFolder(instance.files, posix.dirname(path)))
    return incusError('file does not exist');
  instance.files[path] = { content, mode: options.mode, uid: options.uid, gid: options.gid };
  return done();
}

export function pullFile(world: World, source: string): Answer {
  const { instance, path } = target(world, source);
  const file = Object.hasOwn(instance.files, path) ? instance.files[path] : undefined;
  if (file !== undefined) return printed(file.content);
  if (foldersAbove(path).some((folder) => Object.hasOwn(instance.files, folder))) {
    return incusError(`sftp: "open ${path}: not a directory" (SSH_FX_FAILURE)`);
  }
  return incusError(
    isFolder(instance.files, path) ? "Can't pull a directory without --recursive" : 'file does not exist',
  );
}
