/** `audit` on a small journal. */
import { expect, it } from 'vitest';
import { Journal } from '../../../src/journal/journal.ts';
import { audit } from '../../../src/service/audit.ts';
import type { ServiceContext } from '../../../src/service/context.ts';
import { callBy } from '../../support/world/hosts.ts';
import { temporaryFolder } from '../journal/support.ts';

it.each([
  ['alice', ['alice']],
  ['alice-container', ['alice']],
  ['web-container', ['web', 'web-container']],
  ['bob-container', []],
])(
  'audit --target %s finds the records of a user, by the name of the container too, and of an admin',
  async (name, found) => {
    const journalFolder = await temporaryFolder();
    const journal = await Journal.open({ folder: journalFolder });
    for (const target of ['alice', 'web', 'web-container']) await journal.append({ type: 'verb', target });
    await journal.close();
    const context = { journalFolder, now: () => new Date() } as unknown as ServiceContext;
    const { records } = await audit(context, { target: name }, callBy());
    expect(records.map(({ target }) => target)).toEqual(found);
  },
);
