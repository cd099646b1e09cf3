import { z } from 'zod';
import type { DeleteResult } from '../../domain/results/changes.ts';
import { username } from '../declaration/schema.ts';
import { showSize } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import { changeEnds, noContainer, userArgument, yesOption } from './shared.ts';

export const deleteVerb = defineVerb({
  name: 'delete',
  aliases: ['rm', 'remove'],
  summary: 'Delete a container, its data and its jump account',
  description: [
    'Everything in the container is lost. On a terminal you must type the user name to confirm; without a terminal --yes is required. If a step fails, the container and the account are restored.',
  ],
  examples: [
    { line: 'delete alice', says: 'asks for confirmation (requires ssh -t)' },
    { line: 'delete alice --yes', says: 'without confirmation, for scripts' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'type-name',
  wantsTouch: true,
  target: 'user',
  parameters: [userArgument, yesOption],
  input: z.strictObject({ user: username, yes: z.boolean().optional(), confirm: z.string().max(64).optional() }),
  ends: {
    ...changeEnds,
    failed: 'a step failed; the container and the account were restored',
    notFound: noContainer,
    cancelled: 'the deletion was not confirmed; nothing was changed',
  },
  view: (result: DeleteResult) => [
    {
      kind: 'text',
      tone: 'good',
      text: `Container ${result.container} and jump account ${result.user} deleted${result.freedBytes === null ? '' : `, ${showSize(result.freedBytes)} freed`}`,
    },
  ],
});
