/** The verbs `start`, `stop` and `restart`. */
import * as z from 'zod';
import type { StateChange } from '../../domain/results/changes.ts';
import { capitalised } from '../declaration/show.ts';
import {
  hasSelection,
  noSelection,
  severalInput,
  severalOptions,
  severalYesOption,
  takingSeveral,
  usersArgument,
} from '../declaration/several.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block } from '../declaration/view.ts';
import { changeEnds, endedConnections, noContainer } from './shared.ts';

const input = () => z.strictObject({ ...severalInput, force: z.boolean().optional(), yes: z.boolean().optional() });
const forceOption = {
  kind: 'option',
  name: 'force',
  long: ['force'],
  short: 'f',
  summary: 'kill the container instead of shutting it down',
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
  ...endedConnections(result.user, result.connectionsEnded),
];

export const start = takingSeveral(
  defineVerb({
    name: 'start',
    summary: 'Start a container',
    description: [
      'The command finishes when the sshd in the container answers with the expected host key. If the container is already running, nothing is changed.',
    ],
    examples: [
      { line: 'start alice', says: 'starts the container and waits until its sshd answers' },
      { line: 'start alice bob --yes', says: 'two containers, without asking' },
    ],
    access: { manage: 'operator' },
    changes: true,
    danger: 'none',
    target: 'user',
    parameters: [usersArgument, ...severalOptions, severalYesOption],
    input: () => z.strictObject({ ...severalInput, yes: z.boolean().optional() }).refine(hasSelection, noSelection),
    ends,
    view,
  }),
);

export const stop = takingSeveral(
  defineVerb({
    name: 'stop',
    summary: 'Stop a container',
    description: [
      'Shuts the container down cleanly, or kills it with --force, and ends the connections of its user through the host. If the container is already stopped, nothing is changed.',
    ],
    examples: [
      { line: 'stop alice', says: 'a clean shutdown' },
      { line: 'stop alice --force', says: 'if the container does not shut down' },
      { line: 'stop --label team=blue --state running --yes', says: 'all running containers with this label' },
    ],
    access: { manage: 'operator' },
    changes: true,
    danger: 'none',
    target: 'user',
    parameters: [usersArgument, forceOption, ...severalOptions, severalYesOption],
    input: () => input().refine(hasSelection, noSelection),
    ends,
    view,
  }),
);

export const restart = takingSeveral(
  defineVerb({
    name: 'restart',
    summary: 'Restart a container',
    description: [
      'Shuts the container down cleanly, or kills it with --force, starts it, and ends the connections of its user through the host. A stopped container is simply started; at self@ not if an admin has stopped it. The command finishes when the sshd in the container answers with the expected host key.',
    ],
    examples: [{ line: 'restart alice', says: 'a clean restart' }],
    access: { manage: 'operator', self: true },
    changes: true,
    danger: 'none',
    target: 'user',
    parameters: [
      { ...usersArgument, required: 'manage', summary: 'users who own the containers (at self@: you by default)' },
      forceOption,
      ...severalOptions,
      severalYesOption,
    ],
    input,
    ends,
    view,
  }),
);
