/** Lists of instances with state, in which one that is in trouble does not hide the others. */
import { z } from 'zod';
import { isFailure } from '../../domain/failure.ts';
import * as documents from './documents.ts';
import type { IncusInstance } from './documents.ts';

/** Queries a document of Incus's API. */
type Query = <T>(path: string, schema: z.ZodType<T>) => Promise<T>;

/**
 * Returns a list with state. An instance whose state Incus cannot read is in it without state: a tenant who brings
 * a container into such trouble must not hide the others.
 */
export async function listWithState(query: Query, path: string): Promise<IncusInstance[]> {
  const listed = await query(path, z.array(documents.listedInstance));
  const found = await Promise.all(
    listed.map(async ({ config, devices, ...rest }): Promise<IncusInstance | undefined> => {
      if (config !== null && devices !== null) return { ...rest, config: config ?? {}, devices: devices ?? {} };
      return withoutState(query, rest.name);
    }),
  );
  return found.filter((instance) => instance !== undefined);
}

/** Returns an instance as Incus has stored it, or `undefined` if it does not exist. */
async function withoutState(query: Query, name: string): Promise<IncusInstance | undefined> {
  try {
    return await query(`/1.0/instances/${encodeURIComponent(name)}`, documents.instance);
  } catch (error) {
    if (isFailure(error, 'program-failed') && /not found/i.test(error.why)) return undefined;
    throw error;
  }
}
