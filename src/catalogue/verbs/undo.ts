import * as z from 'zod';
import type { UndoResult } from '../../domain/results/undo.ts';
import { showDate } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import { changeEnds } from './shared.ts';

export const undo = defineVerb({
  name: 'undo',
  summary: 'Take back your own last change',
  description: [
    'Shows what it would do; with --yes it does it. It can take back `resize`, `start`, `stop`, `delete` (from the trash), changes of keys, labels, `protect`, `ttl` and the schedule or name of snapshots. It refuses if anybody has changed the same container since, and takes back one change, not several. It looks for changes of the last 30 days; at `self@` for those that were made with the key of this login, of the containers that it opens.',
    'It passes over what only adds something or leaves the container as it is: `backup create` and `verify`, `snapshot create`, `restart`, `image build`, `reconcile` and `schedule run`. It refuses, and names another way if there is one, if your last change is one that nothing takes back: what is deleted for good, `create`, what a restore replaced, and changes of admins, invitations, certificates, CAs, host keys and bans.',
  ],
  examples: [
    { line: 'undo', says: 'shows your last change, and what takes it back' },
    { line: 'undo --yes', says: 'does it' },
  ],
  access: { manage: 'operator', self: true },
  planned: (input) => ({ ...input, yes: true }),
  changes: true,
  readsHistory: true,
  danger: 'none',
  parameters: [{ kind: 'option', name: 'yes', long: ['yes'], short: 'f', summary: 'do it, do not only show it' }],
  input: () => z.strictObject({ yes: z.boolean().optional() }),
  ends: {
    ...changeEnds,
    notFound: 'you have changed nothing lately',
    conflict: 'something else came after it, it cannot be taken back, or another operation is still running',
  },
  view: ({ change, by, done }: UndoResult) => {
    const what = `"${change.verb} ${change.target}" of ${showDate(change.at)}`;
    return done
      ? [{ kind: 'text', tone: 'good', text: `Took back ${what}: ${by}` }]
      : [
          { kind: 'text', text: `Your last change was ${what}. This takes it back: ${by}` },
          { kind: 'text', tone: 'quiet', text: '"undo --yes" does it.' },
        ];
  },
});
