/**
 * Simulates `incus query`: GET of the documents and metrics that this product reads, PATCH of an instance or its
 * metadata, POST of a snapshot or a backup, and the DELETE of a backup or a console log.
 */
import { incusError, incusRefusal, printed } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import * as documents from './documents.ts';
import { patchInstance } from './instances.ts';
import { clearConsoleLog } from '../inside/console.ts';
import { instanceNamed } from '../program/lookup.ts';
import { localImage } from './images.ts';
import { metricsText } from './metrics.ts';
import { createBackup, deleteBackup } from './backups.ts';
import { createSnapshot, snapshotNamed } from './snapshots.ts';
import { patchMetadata } from './templates.ts';
import type { UnderwayRecord } from '../state/state.ts';

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, inner]): [string, unknown] => [key, sorted(inner)]),
  );
}

/**
 * Prints a document as the client does: with sorted keys, tabs, and an empty line at the end. An empty object prints
 * nothing (incus 6.0, observed with `/1.0/operations` on an idle server).
 */
function shown(document: unknown): Answer {
  const text = JSON.stringify(sorted(document), null, '\t');
  return printed(text === '{}' ? '' : `${text}\n\n`);
}

function listInstances(world: World, parameters: URLSearchParams): Answer {
  if (parameters.has('filter')) throw incusRefusal('Invalid filter: the simulated host has none');
  const found = Object.values(world.state.instances).sort((left, right) => (left.name < right.name ? -1 : 1));
  const recursion = parameters.get('recursion') ?? '0';
  if (recursion === '2')
    return shown(found.map((instance) => documents.fullInstanceDocument(world.state, instance, world.nowMs)));
  if (recursion === '1') return shown(found.map((instance) => documents.instanceDocument(instance)));
  return shown(found.map((instance) => `/1.0/instances/${instance.name}`));
}

function list<T>(
  items: readonly T[],
  parameters: URLSearchParams,
  path: (item: T) => string,
  document: (item: T) => unknown,
): Answer {
  return shown((parameters.get('recursion') ?? '0') === '0' ? items.map(path) : items.map(document));
}

function getOne(world: World, kind: string, name: string, more: readonly string[], isFull: boolean): Answer {
  const [part, member] = more;
  if (member !== undefined && !(kind === 'instances' && part === 'snapshots')) return incusError('not found');
  const { state, nowMs } = world;
  if (kind === 'instances') {
    const instance = instanceNamed(world, name);
    if (part === 'state') return shown(documents.instanceStateDocument(state, instance, nowMs));
    if (part === undefined && isFull) return shown(documents.fullInstanceDocument(state, instance, nowMs));
    if (part === undefined) return shown(documents.instanceDocument(instance));
    if (part === 'backups' && isFull) return shown(instance.backups.map(documents.backupDocument));
    if (part === 'snapshots' && member !== undefined)
      return shown(documents.snapshotDocument(instance, snapshotNamed(instance, member)));
    if (part === 'snapshots' && isFull)
      return shown(instance.snapshots.map((one) => documents.snapshotDocument(instance, one)));
    if (part === 'snapshots')
      return shown(instance.snapshots.map((one) => `/1.0/instances/${name}/snapshots/${one.name}`));
  }
  if (kind === 'images' && part === undefined) {
    const image = /^[0-9a-f]+$/.test(name) ? localImage(world, name) : undefined;
    return image === undefined ? incusError(`Image "${name}" not found`) : shown(documents.imageDocument(image));
  }
  if (kind === 'networks' && part === undefined) {
    const network = state.networks.find((candidate) => candidate.name === name);
    return network === undefined ? incusError('Network not found') : shown(documents.networkDocument(state, network));
  }
  if (kind === 'networks' && part === 'leases') {
    const network = state.networks.find((candidate) => candidate.name === name && candidate.managed);
    if (network === undefined) return incusError('Failed loading network: Network not found');
    return shown(documents.leasesDocument(state, network));
  }
  if (kind === 'storage-pools' && (part === undefined || part === 'resources')) {
    const pool = state.pools.find((candidate) => candidate.name === name);
    if (pool === undefined) return incusError('Storage pool not found');
    return shown(
      part === undefined ? documents.poolDocument(state, pool) : documents.poolResourcesDocument(state, pool, nowMs),
    );
  }
  return incusError('not found');
}

function get(world: World, segments: readonly string[], parameters: URLSearchParams): Answer {
  const { state } = world;
  const [kind, name, ...more] = segments;
  if (more.length > 2) return incusError('not found');
  if (kind === undefined) return shown(documents.serverDocument(state));
  if (name !== undefined) return getOne(world, kind, name, more, parameters.get('recursion') === '1');
  switch (kind) {
    case 'instances':
      return listInstances(world, parameters);
    case 'images':
      return list(state.images, parameters, (image) => `/1.0/images/${image.fingerprint}`, documents.imageDocument);
    case 'networks':
      return list(
        state.networks,
        parameters,
        (network) => `/1.0/networks/${network.name}`,
        (network) => documents.networkDocument(state, network),
      );
    case 'storage-pools':
      // Incus 6.0.4 answers `null`, for which its client prints nothing.
      if (state.pools.length === 0) return printed('');
      return list(
        state.pools,
        parameters,
        (pool) => `/1.0/storage-pools/${pool.name}`,
        (pool) => documents.poolDocument(state, pool),
      );
    case 'metrics':
      return printed(metricsText(state, world.nowMs));
    case 'operations':
      return listOperations(state.underway.filter(({ program }) => program === 'incus'));
    default:
      return incusError('not found');
  }
}

function listOperations(underway: readonly UnderwayRecord[]): Answer {
  return shown(underway.length === 0 ? {} : { running: underway.map(documents.operationDocument) });
}

function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw incusRefusal(`invalid URL escape "${segment}"`);
  }
}

export function query(world: World, method: string, target: string, body: string): Answer {
  const [path = '', search = ''] = target.split('?', 2);
  const [empty, version, ...segments] = path.split('/').map(unescaped);
  if (empty !== '' || version !== '1.0') return incusError('not found');
  if (method === 'GET') return get(world, segments, new URLSearchParams(search));
  const [kind, name, ...more] = segments;
  if (method === 'PATCH' && kind === 'instances' && name !== undefined && more.length === 0)
    return patchInstance(world, name, body);
  if (method === 'PATCH' && kind === 'instances' && name !== undefined && more.join('/') === 'metadata')
    return patchMetadata(world, name, body);
  if (method === 'POST' && kind === 'instances' && name !== undefined && more.join('/') === 'snapshots')
    return createSnapshot(world, name, body);
  if (method === 'POST' && kind === 'instances' && name !== undefined && more.join('/') === 'backups')
    return createBackup(world, name, body);
  if (method === 'DELETE' && kind === 'instances' && name !== undefined && more[0] === 'backups' && more.length === 2)
    return deleteBackup(world, name, more[1] ?? '');
  if (method === 'DELETE' && kind === 'instances' && name !== undefined && more.join('/') === 'console')
    return clearConsoleLog(world, name);
  return incusError('not found');
}
