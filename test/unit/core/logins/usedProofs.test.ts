import { expect, it } from 'vitest';
import { UsedProofs } from '../../../../src/core/logins/usedProofs.ts';

it('UsedProofs remembers a used proof', () => {
  const used = new UsedProofs();
  used.add('one', 'manage carol');
  expect([used.has('one'), used.has('another')]).toEqual([true, false]);
});

it('UsedProofs forgets the oldest proof of the person with the most proofs, and no proof of anybody else', () => {
  const used = new UsedProofs(10);
  for (const proof of ['first', 'second']) used.add(proof, 'manage carol');
  for (let i = 0; i < 1000; i++) used.add(`alice ${i}`, 'self alice');
  expect(['first', 'second'].map((proof) => used.has(proof))).toEqual([true, true]);
  expect(Array.from({ length: 1000 }, (_, i) => i).filter((i) => used.has(`alice ${i}`))).toEqual([
    992, 993, 994, 995, 996, 997, 998, 999,
  ]);
});

it('UsedProofs keeps to its limit for any number of people', () => {
  const used = new UsedProofs(10);
  for (let i = 0; i < 1000; i++) used.add(`${i}`, `self user-${i}`);
  expect(Array.from({ length: 1000 }, (_, i) => i).filter((i) => used.has(`${i}`))).toHaveLength(10);
  expect(used.people).toBe(10);
});
