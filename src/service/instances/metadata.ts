/**
 * The metadata that this system keeps in the instance's own configuration, under `user.containarium.`. It follows the
 * container through backup, move and cluster, and survives the loss of the host's disk.
 */
import * as z from 'zod';
import type { Provisioning } from '../../domain/results/container.ts';
import type { KeyInfo } from '../../domain/results/keys.ts';
import { parsePublicKeys, type PublicKey } from '../../domain/keys/publicKey.ts';
import { ownerOf, type Username } from '../../domain/values/username.ts';
import { metadataPrefix, type IncusInstance } from '../../host/incus/documents.ts';

const prefix = metadataPrefix;

export const field = {
  owner: `${prefix}owner`,
  state: `${prefix}state`,
  operation: `${prefix}operation`,
  keys: `${prefix}keys`,
  hostKey: `${prefix}host-key`,
  createdBy: `${prefix}created-by`,
  image: `${prefix}image`,
  /** The fixed address that was written into the container. Absent: made by a version that left it to DHCP. */
  address: `${prefix}address`,
  /**
   * What Incus writes into the container at its first start (`service/images/seed.ts`), the private host key among it.
   * Only until the container is ready.
   */
  seed: `${prefix}seed`,
  /** On an instance that a restore has replaced: the user whose container it was. */
  replaced: `${prefix}replaced`,
  /** The schedule of snapshots that an admin chose. Absent: that of the settings. */
  snapshots: `${prefix}snapshots`,
  /** On an instance in the trash: what it was, and until when it is kept. On its earlier generations: its name. */
  trashed: `${prefix}trashed`,
  /** `yes` if the container should run: since it was made or started, until it is stopped. */
  runs: `${prefix}runs`,
  /** When the container moves to the trash by itself. Absent: never. */
  expires: `${prefix}expires`,
} as const;

/** The properties of a prepared image. */
export const imageProperty = {
  base: 'containarium.base',
  recipe: 'containarium.recipe',
  operation: 'containarium.operation',
} as const;

const labelPrefix = `${prefix}label.`;

/** A stored key: its canonical line, and when and by whom it was added. */
export interface StoredKey {
  readonly line: string;
  readonly addedAt: string;
  readonly addedBy: string;
}

const storedKeys = z.array(
  z.object({ line: z.string(), addedAt: z.string().default(''), addedBy: z.string().default('') }),
);

export function encodeKeys(keys: readonly StoredKey[]): string {
  return JSON.stringify(keys);
}

/**
 * Returns the keys in an instance's configuration. Anyone who may configure Incus can write there: skips invalid keys,
 * and makes each line canonical, so that no control character of a comment is written anywhere again.
 */
export function decodeKeys(text: string | undefined): StoredKey[] {
  if (text === undefined || text === '') return [];
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return [];
  }
  const parsed = storedKeys.safeParse(document);
  if (!parsed.success) return [];
  return parsed.data.flatMap((stored) => {
    const key = publicKeyOf(stored);
    return key === undefined ? [] : [{ ...stored, line: key.line }];
  });
}

export function publicKeyOf(stored: StoredKey): PublicKey | undefined {
  try {
    return parsePublicKeys(stored.line)[0];
  } catch {
    return undefined;
  }
}

export function store(keys: readonly PublicKey[], addedAt: Date, addedBy: string): StoredKey[] {
  return keys.map((key) => ({ line: key.line, addedAt: addedAt.toISOString(), addedBy }));
}

export function keyInfo(stored: StoredKey): KeyInfo {
  const key = publicKeyOf(stored);
  return {
    type: key?.type ?? 'unknown',
    bits: key?.bits ?? null,
    fingerprint: key?.fingerprint ?? '',
    comment: key?.comment ?? '',
    publicKey: key?.line ?? '',
    addedAt: stored.addedAt,
    addedBy: stored.addedBy,
  };
}

/**
 * Returns the user who owns this instance. Its name and configuration must agree: a copy (`incus copy`) has the
 * configuration of its original and belongs to no user.
 */
export function ownerOfInstance(instance: IncusInstance): Username | undefined {
  const named = ownerOf(instance.name);
  return named !== undefined && instance.config[field.owner] === named ? named : undefined;
}

export function provisioningOf(instance: IncusInstance): Provisioning {
  const state = instance.config[field.state];
  return state === 'creating' || state === 'deleting' ? state : 'ready';
}

export function labelsOf(instance: IncusInstance): Record<string, string> {
  return Object.fromEntries(
    Object.entries(instance.config)
      .filter(([key, value]) => key.startsWith(labelPrefix) && value !== '')
      .map(([key, value]) => [labelOfKey(key), value]),
  );
}

/** Returns the configuration key of a label. */
export function labelKey(key: string): string {
  return `${labelPrefix}${key}`;
}

/** Returns the key of the label that a configuration key holds. */
export function labelOfKey(configKey: string): string {
  return configKey.slice(labelPrefix.length);
}

export function labelConfig(labels: readonly { key: string; value: string }[]): Record<string, string> {
  return Object.fromEntries(labels.map(({ key, value }) => [labelKey(key), value]));
}
