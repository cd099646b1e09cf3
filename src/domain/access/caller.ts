/** For whom the running code works, through all that it awaits (AsyncLocalStorage of Node.js). */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Actor } from './actor.ts';

export type Caller = Pick<Actor, 'name' | 'entryPoint'>;

const callers = new AsyncLocalStorage<Caller | undefined>();

/** Runs a call. What it begins on the host, now or later, is its caller's. */
export function onBehalfOf<T>(caller: Caller, work: () => T): T {
  return callers.run(caller, work);
}

/** Runs what other people's work waits for. It is nobody's, so it waits for no turn of its caller's. */
export function onBehalfOfAll<T>(work: () => T): T {
  return callers.run(undefined, work);
}

/** Returns the caller; undefined if no call began this. */
export function presentCaller(): Caller | undefined {
  return callers.getStore();
}
