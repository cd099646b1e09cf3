/** The verbs `protect` and `unprotect`. */
import * as z from 'zod';
import type { ProtectionChange } from '../../domain/results/changes.ts';
import { username } from '../declaration/schema.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block } from '../declaration/view.ts';
import { containerChange, userArgument } from './shared.ts';

const common = {
  ...containerChange,
  parameters: [userArgument],
  input: () => z.strictObject({ user: username }),
  view: (result: ProtectionChange): Block[] => [
    {
      kind: 'text',
      tone: result.changed ? 'good' : 'quiet',
      text: `${result.container} ${result.changed ? 'is now' : 'is already'} ${result.protected ? 'protected from being deleted' : 'unprotected'}`,
    },
  ],
} as const;

export const protect = defineVerb({
  ...common,
  name: 'protect',
  summary: 'Keep a container from being deleted',
  description: [
    'A protected container cannot be deleted until `unprotect`. Incus itself refuses it too. Nothing else changes.',
  ],
  examples: [{ line: 'protect alice', says: 'until "unprotect alice"' }],
});

export const unprotect = defineVerb({
  ...common,
  name: 'unprotect',
  summary: 'Allow a protected container to be deleted',
  examples: [{ line: 'unprotect alice', says: 'then "delete alice" works again' }],
});
