/** The jobs that keep the journal. */
import { Failure } from '../../domain/failure.ts';
import { plural } from '../../domain/text.ts';
import type { Job } from './job.ts';

export const journalJob: Job = {
  name: 'journal',
  isLong: true,
  summary: 'Check every record of the journal, and its anchors',
  pattern: '23 4 * * 0',
  async run({ keeping }) {
    const found = await keeping.verify(false);
    if (found.ok && found.anchorTrouble !== null)
      throw new Failure('store-unavailable', {
        what: 'the anchors of the journal, which is intact',
        why: found.anchorTrouble,
        next: 'make journal.anchor.file readable again',
      });
    if (found.ok) return `intact: ${plural(found.records, 'record')}`;
    const { segment, line, reason } = found.firstBad;
    throw new Failure('journal-damaged', {
      what: `the journal, ${segment} line ${line}`,
      why: reason,
      next: '"audit verify" shows where; do not change the files',
    });
  },
};

export const archiveJob: Job = {
  name: 'archive',
  isLong: true,
  summary: 'Move records to the archive that are older than journal.keepDays',
  pattern: '53 3 * * *',
  // A clock that is years ahead must not empty the journal.
  run: ({ keeping }, { mayDelete }) => (mayDelete ? keeping.archive() : Promise.resolve(undefined)),
};

export const anchorJob: Job = {
  name: 'anchor',
  summary: 'Write the head of the journal outside of it',
  pattern: '3 2 * * *',
  run: ({ keeping }) => keeping.anchor(),
};
