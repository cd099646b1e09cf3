/** The question before several containers are changed. */
import { describe, expect, it } from 'vitest';
import type { Actor } from '../../../src/domain/access/actor.ts';
import { verbNamed } from '../../../src/catalogue/catalogue.ts';
import { askAboutSeveral } from '../../../src/catalogue/selection.ts';
import { requireConfirmation } from '../../../src/core/calls/safeguards.ts';
import { container } from '../../support/containers.ts';
import { failing } from '../domain/failing.ts';

const admin: Actor = { name: 'tester', role: 'admin', entryPoint: 'manage' };

const containers = [
  container('alice', { labels: { team: 'blue' } }),
  container('bob', { labels: { team: 'red' } }),
  container('carol', { labels: { team: 'red' } }),
];

const ask = (input: Readonly<Record<string, unknown>>): ReturnType<typeof askAboutSeveral> =>
  askAboutSeveral(verbNamed('delete'), input, admin, () => Promise.resolve({ containers }));

describe('the question about a selection', () => {
  it.each([
    ['one container, its user', ['team=blue'], 'alice'],
    ['several containers, their number', ['team=red'], '2'],
  ])('asks about %s, which core accepts', async (_, labels, word) => {
    const asked = await ask({ labels });
    expect(asked?.word).toBe(word);
    requireConfirmation(verbNamed('delete'), { ...asked?.input, confirm: asked?.word });
    expect(
      failing(() => requireConfirmation(verbNamed('delete'), { ...asked?.input, confirm: 'other' })),
    ).toMatchObject({ code: 'confirmation-mismatch' });
  });

  it.each([[['=blue']], [['a b']], [['x'.repeat(5000)]]])(
    'is left to core, which names the mistake, if a label is invalid: %j',
    async (labels) => {
      expect(verbNamed('delete').input().safeParse({ labels, yes: true }).success).toBe(false);
      expect(await ask({ labels })).toBeUndefined();
    },
  );
});
