/** Simulates backups of instances: POST and DELETE of one, its archive, and an instance made of an archive. */
import type { Readable } from 'node:stream';
import { extract, pack } from 'tar-stream';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { done, incusError } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { instanceNamed } from '../program/lookup.ts';
import type { InstanceFiles, InstanceRecord } from '../state/state.ts';
import { copyInstance } from './instances.ts';

const request = z.object({ name: z.string(), expires_at: z.iso.datetime().optional() });

export function createBackup(world: World, instanceName: string, body: string): Answer {
  const instance = instanceNamed(world, instanceName);
  const { name, expires_at: expiresAt } = request.parse(JSON.parse(body));
  if (instance.backups.some((one) => one.name === name))
    return incusError(`Create backup: Backup "${instanceName}/${name}" already exists`);
  const { config, devices, files, prepared } = structuredClone(instance);
  const expiresAtMs = expiresAt === undefined ? 0 : Date.parse(expiresAt);
  instance.backups.push({ name, createdAtMs: world.nowMs, expiresAtMs, config, devices, files, prepared });
  world.emit('instance-backup-created', instanceName);
  return done();
}

export function deleteBackup(world: World, instanceName: string, name: string): Answer {
  const instance = instanceNamed(world, instanceName);
  const found = instance.backups.find((one) => one.name === name);
  if (found === undefined) return incusError('Instance backup not found');
  instance.backups = instance.backups.filter((one) => one !== found);
  world.emit('instance-backup-deleted', instanceName);
  return done();
}

/** What `backup/index.yaml` says. JSON is YAML too. */
const index = z.object({
  config: z.record(z.string(), z.string()),
  devices: z.record(z.string(), z.record(z.string(), z.string())),
  // A real archive has neither of these.
  prepared: z.boolean().default(false),
  isCopy: z.boolean().default(false),
});

export type Archive = z.infer<typeof index> & { readonly files: InstanceFiles };

const rootfs = 'backup/container/rootfs';

/** Returns a backup as a tar archive with the structure of a real one. */
export function archiveOf({
  config,
  devices,
  files,
  prepared,
  isCopy,
}: Pick<InstanceRecord, 'config' | 'devices' | 'files' | 'prepared' | 'isCopy'>): Readable {
  const archive = pack();
  archive.entry({ name: 'backup/index.yaml' }, JSON.stringify({ config, devices, prepared, isCopy }));
  archive.entry({ name: rootfs, type: 'directory' });
  for (const [path, { content, mode, uid, gid }] of Object.entries(files))
    archive.entry({ name: `${rootfs}${path}`, mode: Number.parseInt(mode, 8), uid, gid }, content);
  archive.finalize();
  return archive;
}

const maxArchiveBytes = 64 * 1024 * 1024;

/** Reads an archive. Rejects with the failure of its source, or as Incus does for one that is none. */
export async function readArchive(source: Readable): Promise<Archive> {
  const archive = extract();
  const texts = new Map<string, { content: string; mode: string; uid: number; gid: number }>();
  archive.on('entry', (header, stream, next) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', next);
    stream.on('end', () => {
      const { name, type, mode = 0, uid = 0, gid = 0 } = header;
      const content = Buffer.concat(chunks).toString();
      if (type === 'file') texts.set(name, { content, mode: mode.toString(8).padStart(4, '0'), uid, gid });
      next();
    });
  });
  const ended = new Promise<void>((resolve, reject) => archive.on('finish', resolve).on('error', reject));
  ended.catch(() => undefined);
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxArchiveBytes) throw broken('no space left on device');
    archive.write(chunk);
  }
  archive.end();
  await ended.catch(() => {
    throw broken('Unexpected EOF in archive');
  });
  const found = texts.get('backup/index.yaml');
  if (found === undefined) throw broken('Backup is missing at "backup/index.yaml"');
  const files = [...texts].filter(([name]) => name.startsWith(`${rootfs}/`));
  return {
    ...index.parse(JSON.parse(found.content)),
    files: Object.fromEntries(files.map(([name, file]) => [name.slice(rootfs.length), file])),
  };
}

function broken(why: string): Failure {
  return new Failure('program-failed', { what: 'the backup', why, details: { stderr: why } });
}

/** Makes a stopped instance of an archive: `import - NAME`, with the archive as JSON on standard input. */
export function importInstance(world: World, name: string, input: string): Answer {
  const { config, devices, files, prepared, isCopy } = JSON.parse(input) as Archive;
  if (Object.hasOwn(world.state.instances, name))
    return incusError('Create instance from backup: Cannot restore volume, already exists on target');
  return copyInstance(world, name, { config, devices, files, prepared, isCopy });
}
