import * as z from 'zod';
import type { DeleteResult } from '../../domain/results/changes.ts';
import { showDate, showSize } from '../declaration/show.ts';
import {
  hasSelection,
  noSelection,
  severalInput,
  severalOptions,
  takingSeveral,
  usersArgument,
} from '../declaration/several.ts';
import { defineVerb } from '../declaration/verb.ts';
import { changeEnds, noContainer, yesOption } from './shared.ts';

export const deleteVerb = takingSeveral(
  defineVerb({
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
      { line: 'delete --label team=blue', says: 'all containers with this label, after asking for their number' },
      { line: 'delete alice --purge --yes', says: 'for good, without the trash' },
      { line: 'delete alice --backup --purge --yes', says: 'for good, but with a backup that was verified' },
    ],
    access: { manage: 'operator' },
    changes: true,
    danger: 'type-name',
    isCancellable: 'backup',
    confirmation: {
      warning: ({ purge, backup }) => {
        const first = backup === true ? 'A backup is made first. ' : '';
        if (purge !== true) return `${first}It is kept in the trash for a while, and "trash restore" brings it back.`;
        return backup === true
          ? `${first}Everything else of it is lost. This cannot be undone.`
          : 'Everything in it is lost. This cannot be undone.';
      },
    },
    wantsTouch: true,
    target: 'user',
    parameters: [
      usersArgument,
      {
        kind: 'option',
        name: 'backup',
        long: ['backup'],
        summary: 'make a backup and verify it first; an encrypted one is not verified, and not with --purge',
      },
      { kind: 'option', name: 'purge', long: ['purge'], summary: 'delete it for good, without the trash' },
      ...severalOptions,
      yesOption,
    ],
    input: () =>
      z
        .strictObject({
          ...severalInput,
          purge: z.boolean().optional(),
          backup: z.boolean().optional(),
          yes: z.boolean().optional(),
          confirm: z.string().max(64).optional(),
        })
        .refine(hasSelection, noSelection),
    ends: {
      ...changeEnds,
      failed: 'a step failed; the container and the account were restored',
      notFound: noContainer,
      conflict:
        'the container is protected (`unprotect`), another operation on it is still running or was left unfinished, or with --backup there is no space for the backup',
      cancelled: 'the deletion was not confirmed, or was cancelled before it began; nothing was deleted',
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
              text: `Its backup is ${result.backup}: "backup restore ${result.user} ${result.backup} --yes" makes it again.`,
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
  }),
);
