import { z } from 'zod';
import type { DeleteResult } from '../../domain/results/changes.ts';
import { username } from '../declaration/schema.ts';
import { showDate, showSize } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import { changeEnds, noContainer, userArgument, yesOption } from './shared.ts';

export const deleteVerb = defineVerb({
  name: 'delete',
  aliases: ['rm', 'remove'],
  summary: 'Delete a container and its jump account',
  description: [
    'The jump account and its connections end at once. The container is stopped and kept in the trash, from which `trash restore` brings it back with its account, keys and snapshots; after a week (`trash.keep`) it is purged. With --purge everything is lost at once.',
    'On a terminal you must type the user name to confirm; without a terminal --yes is required. If a step fails, the container and the account are restored.',
  ],
  examples: [
    { line: 'delete alice', says: 'asks for confirmation (requires ssh -t)' },
    { line: 'delete alice --yes', says: 'without confirmation, for scripts' },
    { line: 'delete alice --purge --yes', says: 'for good, without the trash' },
    { line: 'delete alice --backup --purge --yes', says: 'for good, but with a backup that was verified' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'type-name',
  confirmation: {
    warning: ({ purge }) =>
      purge === true
        ? 'Everything in it is lost. This cannot be undone.'
        : 'It is kept in the trash for a while, and "trash restore" brings it back.',
  },
  wantsTouch: true,
  target: 'user',
  parameters: [
    userArgument,
    {
      kind: 'option',
      name: 'backup',
      long: ['backup'],
      summary: 'make a backup and verify it before anything is deleted',
    },
    { kind: 'option', name: 'purge', long: ['purge'], summary: 'delete it for good, without the trash' },
    yesOption,
  ],
  input: z.strictObject({
    user: username,
    purge: z.boolean().optional(),
    backup: z.boolean().optional(),
    yes: z.boolean().optional(),
    confirm: z.string().max(64).optional(),
  }),
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
    ...(result.backup === null
      ? []
      : [
          {
            kind: 'text' as const,
            tone: 'quiet' as const,
            text: `Its backup is ${result.backup}: "backup restore ${result.user} ${result.backup}" makes it again.`,
          },
        ]),
    ...(result.trash === null
      ? []
      : [
          {
            kind: 'text' as const,
            tone: 'quiet' as const,
            text: `It is in the trash until ${showDate(result.trash.until)}: "trash restore ${result.user}" brings it back.`,
          },
        ]),
  ],
});
