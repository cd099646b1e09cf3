/** Instances with state. One whose state cannot be read has none, and does not hide the others. */
import pMap from 'p-map';
import * as z from 'zod';
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
export async function listWithState(query: Query): Promise<IncusInstance[]> {
  try {
    return await listed(query);
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    return oneByOne(query);
  }
}

/**
 * Returns one instance, without state if that cannot be read or is too long; `undefined` if it does not exist. Incus
 * reads the state of this instance only.
 */
export async function oneWithState(query: Query, name: string): Promise<IncusInstance | undefined> {
  try {
    return await query(`${pathOf(name)}?recursion=1`, documents.instance, maxStateBytes);
  } catch (error) {
    if (isGone(error)) return undefined;
    if (isTooMuch(error) || isFailure(error, 'program-failed')) return withoutState(query, name);
    throw error;
  }
}

function pathOf(name: string): string {
  return `/1.0/instances/${encodeURIComponent(name)}`;
}

async function listed(query: Query): Promise<IncusInstance[]> {
  const found = await query('/1.0/instances?recursion=2', z.array(documents.listedInstance));
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
async function oneByOne(query: Query): Promise<IncusInstance[]> {
  const stored = await query('/1.0/instances?recursion=1', z.array(documents.instance));
  const found = await pMap(stored, ({ name }) => oneWithState(query, name), { concurrency: 8 });
  return found.filter((instance) => instance !== undefined);
}

/** Reports whether Incus has deleted the instance meanwhile. */
function isGone(error: unknown): boolean {
  return isFailure(error, 'program-failed') && /\bInstance not found$/i.test(error.why);
}

/** Returns an instance as Incus has stored it, or `undefined` if it does not exist. */
export async function withoutState(query: Query, name: string): Promise<IncusInstance | undefined> {
  try {
    return await query(pathOf(name), documents.instance);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
