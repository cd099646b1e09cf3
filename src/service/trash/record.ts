/** What an instance in the trash says about itself, in its own configuration. */
import * as z from 'zod';
import { containerName, isName, type Username } from '../../domain/values/username.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { field } from '../instances/metadata.ts';

const text = z.record(z.string(), z.string());

const record = z.object({
  user: z.string().refine((name): name is Username => isName(name)),
  at: z.iso.datetime(),
  by: z.string().max(256),
  /** When it is purged. */
  until: z.iso.datetime(),
  /** Whether it ran when it was deleted. */
  ran: z.boolean(),
  /** The configuration and devices that being in the trash takes away. */
  before: z.object({ config: text, devices: z.record(z.string(), text) }),
});

export type TrashRecord = z.output<typeof record>;

/** An instance in the trash. */
export interface TrashedInstance {
  readonly instance: IncusInstance;
  readonly record: TrashRecord;
}

export function encodeRecord(fields: TrashRecord): string {
  return JSON.stringify(fields);
}

/**
 * Returns what is in the trash, of one user or of all, the oldest first. Anyone who may configure Incus can write such
 * a record, so it counts only on an instance whose name is that of the user's container, or begins with it.
 */
export function trashedAmong(instances: readonly IncusInstance[], user?: string): TrashedInstance[] {
  const found = instances.flatMap((instance): TrashedInstance[] => {
    const parsed = record.safeParse(jsonOf(instance.config[field.trashed]));
    if (!parsed.success || (user !== undefined && parsed.data.user !== user)) return [];
    const own = containerName(parsed.data.user);
    return instance.name === own || instance.name.startsWith(`${own}-`) ? [{ instance, record: parsed.data }] : [];
  });
  return found.sort((a, b) => Date.parse(a.record.at) - Date.parse(b.record.at));
}

/** Returns the earlier generations of an instance in the trash. */
export function trashedWith(instances: readonly IncusInstance[], name: string): IncusInstance[] {
  return instances.filter(({ config }) => config[field.replaced] !== undefined && config[field.trashed] === name);
}

function jsonOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
