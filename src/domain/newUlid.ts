import { randomInt } from 'node:crypto';
import { ulid } from 'ulid';

const range = 2 ** 32;

/**
 * Returns a new ULID. The package by itself asks Node.js for each random character, which takes longer than the rest of
 * a short call; `randomInt` has its numbers in store.
 */
export function newUlid(): string {
  return ulid(undefined, () => randomInt(range) / range);
}
