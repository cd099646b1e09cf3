/** Start, stop, restart. */
import { z } from 'zod';
import type { StateChange } from '../../domain/results/changes.ts';
import { username } from '../declaration/schema.ts';
import { capitalised } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block } from '../declaration/view.ts';
import { changeEnds, noContainer, userArgument } from './shared.ts';

const input = z.strictObject({ user: username, force: z.boolean().optional() });
const forceOption = {
  kind: 'option',
  name: 'force',
  long: ['force'],
  short: 'f',
  summary: 'kill it instead of shutting it down',
} as const;

const ends = { ...changeEnds, notFound: noContainer } as const;

const view = (result: StateChange): Block[] => [
  {
    kind: 'text',
    tone: result.changed ? 'good' : 'quiet',
    text: result.changed
      ? `${result.container}: ${capitalised(result.status)}`
      : `${result.container} is already ${result.status}`,
  },
];

export const start = defineVerb({
  name: 'start',
  summary: 'Start a container',
  description: [
    'Done when the sshd inside answers with the expected host key. A container that runs already is left as it is.',
  ],
  examples: [{ line: 'start alice', says: 'and wait until it answers' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'user',
  parameters: [userArgument],
  input: z.strictObject({ user: username }),
  ends,
  view,
});

export const stop = defineVerb({
  name: 'stop',
  summary: 'Stop a container',
  description: ['A clean shutdown; with --force it is killed. A container that is stopped already is left as it is.'],
  examples: [
    { line: 'stop alice', says: 'shut it down' },
    { line: 'stop alice --force', says: 'where it does not shut down' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'user',
  parameters: [userArgument, forceOption],
  input,
  ends,
  view,
});

export const restart = defineVerb({
  name: 'restart',
  summary: 'Restart a container',
  description: [
    'A clean shutdown and a start; one that is stopped is started. Done when the sshd inside answers with the expected host key.',
  ],
  examples: [{ line: 'restart alice', says: 'shut it down, start it, and wait until it answers' }],
  access: { manage: 'operator', self: true },
  changes: true,
  danger: 'none',
  target: 'user',
  parameters: [
    { ...userArgument, required: 'manage', summary: 'the user whose container it is; over self@ your own' },
    forceOption,
  ],
  input: z.strictObject({ user: username.optional(), force: z.boolean().optional() }),
  ends,
  view,
});
