/** Start, stop, restart. */
import { z } from 'zod';
import type { StateChange } from '../../domain/results.ts';
import { username } from '../schema.ts';
import { capitalised } from '../show.ts';
import { defineVerb } from '../verb.ts';
import type { Block } from '../view.ts';
import { userArgument } from './shared.ts';

const input = z.strictObject({ user: username, force: z.boolean().optional() });
const forceOption = { kind: 'option', name: 'force', long: ['force'], short: 'f', summary: 'kill it instead of shutting it down' } as const;

const view = (result: StateChange): Block[] => [
  {
    kind: 'text',
    tone: result.changed ? 'good' : 'quiet',
    text: result.changed ? `${result.container}: ${capitalised(result.status)}` : `${result.container} is already ${result.status}`,
  },
];

export const start = defineVerb({
  name: 'start',
  summary: 'Start a container',
  examples: [{ line: 'start alice', says: 'start it, and wait until it answers' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  parameters: [userArgument],
  input: z.strictObject({ user: username }),
  view,
});

export const stop = defineVerb({
  name: 'stop',
  summary: 'Stop a container',
  examples: [
    { line: 'stop alice', says: 'shut it down' },
    { line: 'stop alice --force', says: 'where it does not shut down' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  parameters: [userArgument, forceOption],
  input,
  view,
});

export const restart = defineVerb({
  name: 'restart',
  summary: 'Restart a container',
  examples: [{ line: 'restart alice', says: 'shut it down and start it again' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  parameters: [userArgument, forceOption],
  input,
  view,
});
