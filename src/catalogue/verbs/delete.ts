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
    'Everything in the container is lost. On a terminal the user name has to be typed; without one --yes is needed. Where a step fails, the container and the account are put back as they were.',
  ],
  examples: [
    { line: 'delete alice', says: 'asks for the name on a terminal (ssh -t)' },
    { line: 'delete alice --yes', says: 'does not ask, for scripts' },
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
    failed: 'a step failed; container and account have been put back as they were',
    notFound: noContainer,
    cancelled: 'the question for the name was not answered; nothing was changed',
  },
  view: (result: DeleteResult) => [
    {
      kind: 'text',
      tone: 'good',
      text: `Container ${result.container} and jump account ${result.user} deleted${result.freedBytes === null ? '' : `, ${showSize(result.freedBytes)} freed`}`,
    },
  ],
});
