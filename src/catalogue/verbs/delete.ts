import { z } from 'zod';
import type { DeleteResult } from '../../domain/results.ts';
import { username } from '../schema.ts';
import { showSize } from '../show.ts';
import { defineVerb } from '../verb.ts';
import { userArgument, yesOption } from './shared.ts';

export const deleteVerb = defineVerb({
  name: 'delete',
  aliases: ['rm', 'remove'],
  summary: 'Delete a container, its data and its jump account',
  description: [
    'Everything in the container is lost. On a terminal the name has to be typed; elsewhere --yes is needed. Where a step fails, the container and the account are put back as they were.',
  ],
  examples: [
    { line: 'delete alice', says: 'asks for the name (with ssh -t)' },
    { line: 'delete alice --yes', says: 'for scripts' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'type-name',
  parameters: [userArgument, yesOption],
  input: z.strictObject({ user: username, yes: z.boolean().optional(), confirm: z.string().max(64).optional() }),
  view: (result: DeleteResult) => [
    {
      kind: 'text',
      tone: 'good',
      text: `Container ${result.container} and jump account ${result.user} deleted${result.freedBytes === null ? '' : `, ${showSize(result.freedBytes)} freed`}`,
    },
  ],
});
