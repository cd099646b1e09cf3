/** Settings of the audit journal. */
import * as z from 'zod';
import { absolutePath, webUrl } from './types.ts';

/** The least time for which records stay in the journal, in days. */
const minKeepDays = 90;

export const journalSettings = z
  .strictObject({
    segmentBytes: z
      .number()
      .int()
      .min(65_536)
      .default(8 * 1024 * 1024)
      .describe('Size in bytes at which a new journal file is started.'),
    keepDays: z
      .number()
      .int()
      .min(minKeepDays)
      .max(36_500)
      .default(minKeepDays)
      .describe(
        'Number of days for which `audit` finds a record at least. A file of the journal whose records are all older is compressed and moved to the archive, which is never emptied.',
      ),
    archiveFolder: absolutePath
      .optional()
      .describe(
        'Folder of the archive, not below /home, where the service may not write. Default: `archive` in the state folder of the server. `audit verify --archive` reads it.',
      ),
    anchor: z
      .strictObject({
        file: absolutePath
          .optional()
          .describe(
            'File to which they are appended, best on another disk, and not below /home. `audit verify` compares the journal with it.',
          ),
        url: webUrl.optional().describe('Where they are sent (POST, JSON). https only, except to a loopback address.'),
        syslog: z.boolean().default(false).describe('Write them to syslog (`logger`), which may forward them.'),
      })
      .prefault({})
      .describe(
        'Where the number and hash of the newest record are written every day, and when a new file begins. Who can write to this host can replace the whole journal, but not what another host has of it.',
      ),
  })
  .prefault({})
  .describe('The audit journal.');
