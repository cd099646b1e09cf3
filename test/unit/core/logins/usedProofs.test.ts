import { expect, it } from 'vitest';
import { UsedProofs } from '../../../../src/core/logins/usedProofs.ts';

it('a proof that was used is known', () => {
  const used = new UsedProofs();
  used.add('one', 'manage carol');
  expect([used.has('one'), used.has('another')]).toEqual([true, false]);
});

it("nobody makes room by using others' up: what is forgotten is the oldest of whoever has used the most", () => {
  const used = new UsedProofs(10);
  for (const proof of ['first', 'second']) used.add(proof, 'manage carol');
  for (let i = 0; i < 1000; i++) used.add(`alice ${i}`, 'self alice');
  expect(['first', 'second'].map((proof) => used.has(proof))).toEqual([true, true]);
  expect(Array.from({ length: 1000 }, (_, i) => i).filter((i) => used.has(`alice ${i}`))).toEqual([
    992, 993, 994, 995, 996, 997, 998, 999,
  ]);
});

it('of ever so many people so many are known', () => {
  const used = new UsedProofs(10);
  for (let i = 0; i < 1000; i++) used.add(`${i}`, `self user-${i}`);
  expect(Array.from({ length: 1000 }, (_, i) => i).filter((i) => used.has(`${i}`))).toHaveLength(10);
  expect(used.people).toBe(10);
});
