/** What a place for backups must be able to do. Keys are relative paths of {@link isKey}. */
import type { Readable } from 'node:stream';
import { Failure } from '../../domain/failure.ts';

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

export interface Store {
  /** What `backup list` calls it. */
  readonly name: 'directory' | 's3';
  /** Where it is, for messages. */
  readonly place: string;
  /** Stores the whole stream under a key, durably, or nothing. */
  put(key: string, source: Readable, signal?: AbortSignal): Promise<void>;
  /** Rejects with `not-found` if there is no such key. */
  get(key: string, signal?: AbortSignal): Promise<Readable>;
  /** Returns everything under a prefix, which is empty or ends with a slash. */
  list(prefix: string, signal?: AbortSignal): Promise<StoredObject[]>;
  /** Deletes a key. One that does not exist is no error. */
  delete(key: string): Promise<void>;
  /** Deletes everything under a prefix, what was stored in part included. */
  clear(prefix: string): Promise<void>;
  /** Deletes what was stored in part, if nothing was added to it since `before`. */
  sweep(before: Date): Promise<void>;
  /** Rejects if nothing can be stored. A store that cannot tell beforehand resolves. */
  requireWritable(): Promise<void>;
  /** Returns the free space; undefined if the store does not tell. */
  freeBytes(): Promise<number | undefined>;
}

/** A few plain names with slashes between them. So a key is a path below any folder, and needs no escaping in a URL. */
const keyRule = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,7}$/;

export function isKey(text: string): boolean {
  return keyRule.test(text);
}

/** Throws for a key or a prefix that is none, which is a fault of this program. */
export function requireKey(text: string): void {
  const key = text.replace(/\/$/, '');
  if (!isKey(key)) throw new Error(`${JSON.stringify(text.slice(0, 200))} is no key of a store`);
}

export function notStored(place: string, key: string): Failure {
  return new Failure('not-found', { what: `"${key}" in ${place}`, why: 'there is no such object' });
}

/** Ends a stream that is not read to its end. Its error reaches those who feed it, and nobody else need hear it. */
export function abandon(source: Readable, error: Error): void {
  source.on('error', () => undefined);
  source.destroy(error);
}
