import { describe, expect, it } from 'vitest';
import { recordActor } from '../../../src/journal/recordActor.ts';

describe("the journal's form of an owner", () => {
  const owner = { name: 'bob', role: 'owner', entryPoint: 'self', fingerprint: 'SHA256:x' } as const;

  it('names all containers of a key that has several', () => {
    expect(recordActor({ ...owner, owns: ['bob', 'alice'] })).toEqual({ ...owner, owns: ['bob', 'alice'] });
  });

  it('says nothing more of a key that has one', () => {
    expect(recordActor({ ...owner, owns: ['bob'] })).toEqual(owner);
  });
});
