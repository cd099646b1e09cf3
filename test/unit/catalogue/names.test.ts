/** The names that verbs take: a name that exists is taken everywhere, by any verb. */
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { verbNamed, verbNames } from '../../../src/catalogue/catalogue.ts';
import { checkInput, newName, newUsername } from '../../../src/catalogue/declaration/schema.ts';
import { fieldSchema, targetOf } from '../../../src/catalogue/declaration/verb.ts';

const verbs = verbNames.map(verbNamed);
const taking = (property: string): [string, z.ZodType][] =>
  verbs.flatMap((verb): [string, z.ZodType][] => {
    const schema = fieldSchema(verb, property);
    return schema === undefined || schema === newUsername || schema === newName ? [] : [[verb.name, schema]];
  });

describe.each(taking('user'))('%s', (_, schema) => {
  it.each([
    ['alice', 'alice'],
    ['alice-container', 'alice'],
    ['nobody', 'nobody'],
    ['erin-container-container', 'erin-container'],
  ])('takes %s for the user %s', (typed, user) => {
    expect(schema.parse(typed)).toBe(user);
  });
});

it('many verbs take a user', () => {
  expect(taking('user').length).toBeGreaterThan(15);
});

describe('an admin whose name no user may have', () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGnUMtVbVTnC2D8nFVZzOTpQvCMZ4QXgZX3MULkqlQNc carol';

  it.each([
    ['admin add', { name: 'admin', keys: key }],
    ['admin role', { name: 'admin', role: 'viewer' }],
    ['admin invite', { name: 'admin' }],
    ['admin remove', { admin: 'admin' }],
    ['session kick', { session: 'admin' }],
  ] as const)('is taken by %s', (name, input) => {
    expect(checkInput(verbNamed(name), input)).toMatchObject(
      'admin' in input ? { admin: 'admin' } : 'session' in input ? { session: 'admin' } : { name: 'admin' },
    );
    expect(targetOf(verbNamed(name), input)).toBe('admin');
  });
});

it.each([
  ['admin role', { name: 'No Name', role: 'viewer' }],
  ['ca remove', { name: 'No Name' }],
  ['session kick', { session: 'No Name' }],
  ['invite cancel', { invitation: 'No Name' }],
  ['info', { user: 'No Name' }],
] as const)('%s answers not-found for a text that nothing can be called', (name, input) => {
  expect(() => checkInput(verbNamed(name), input)).toThrow(expect.objectContaining({ code: 'not-found' }));
});
