/** Lists of instances with state, in which one that is in trouble does not hide the others. */
import pMap from 'p-map';
import { z } from 'zod';
import { isFailure } from '../../domain/failure.ts';
import { isTooMuch } from '../runner.ts';
import * as documents from './documents.ts';
import type { IncusInstance } from './documents.ts';

/** Queries a document of Incus's API. */
type Query = <T>(path: string, schema: z.ZodType<T>, maxOutputBytes?: number) => Promise<T>;

/**
 * Returns a list with state. An instance whose state Incus cannot read, or whose state is too long, is in it without
 * state: a tenant who brings a container into such trouble must not hide the others.
 */
export async function listWithState(query: Query, filter?: string): Promise<IncusInstance[]> {
  const suffix = filter === undefined ? '' : `&filter=${encodeURIComponent(filter)}`;
  try {
    return await listed(query, `/1.0/instances?recursion=2${suffix}`);
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    return oneByOne(query, suffix);
  }
}

async function listed(query: Query, path: string): Promise<IncusInstance[]> {
  const found = await query(path, z.array(documents.listedInstance));
  const complete = await Promise.all(
    found.map(async ({ config, devices, ...rest }): Promise<IncusInstance | undefined> => {
      if (config !== null && devices !== null) return { ...rest, config: config ?? {}, devices: devices ?? {} };
      return withoutState(query, rest.name);
    }),
  );
  return complete.filter((instance) => instance !== undefined);
}

/** Longest state of one instance, in bytes. A Docker host with hundreds of networks has a few hundred KiB. */
const maxStateBytes = 2 * 1024 * 1024;

/** Returns the list from a query for each instance, whose state counts only up to {@link maxStateBytes}. */
async function oneByOne(query: Query, suffix: string): Promise<IncusInstance[]> {
  const stored = await query(`/1.0/instances?recursion=1${suffix}`, z.array(documents.instance));
  const found = await pMap(
    stored,
    async (instance): Promise<IncusInstance | undefined> => {
      try {
        const path = `/1.0/instances/${encodeURIComponent(instance.name)}?recursion=1`;
        return await query(path, documents.instance, maxStateBytes);
      } catch (error) {
        if (isGone(error)) return undefined;
        if (isTooMuch(error) || isFailure(error, 'program-failed')) return instance;
        throw error;
      }
    },
    { concurrency: 8 },
  );
  return found.filter((instance) => instance !== undefined);
}

/** Reports whether Incus has deleted the instance meanwhile. */
function isGone(error: unknown): boolean {
  return isFailure(error, 'program-failed') && /not found/i.test(error.why);
}

/** Returns an instance as Incus has stored it, or `undefined` if it does not exist. */
async function withoutState(query: Query, name: string): Promise<IncusInstance | undefined> {
  try {
    return await query(`/1.0/instances/${encodeURIComponent(name)}`, documents.instance);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
