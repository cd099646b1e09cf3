/** Parameters that the verbs about backups share. */
import { AgeIdentity } from '../../domain/values/age.ts';
import { isBackupId, latest } from '../../domain/values/backupId.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { parsedBy } from '../declaration/schema.ts';
import type { Argument, Option } from '../declaration/verb.ts';
import { changeEnds, userArgument } from './shared.ts';

export const whoseArgument: Argument = { ...userArgument, summary: 'user whose container was backed up' };

export const backupArgument: Argument = {
  kind: 'argument',
  name: 'backup',
  summary: 'id of the backup, or "latest"',
  required: true,
};

export const identityOption: Option = {
  kind: 'option',
  name: 'identity',
  long: ['identity'],
  value: 'file',
  summary: 'the secret age key of an encrypted backup: "-" for standard input; on the host also a path',
};

function notFound(text: string): Failure {
  return new Failure('not-found', {
    what: `backup ${quoted(text)}`,
    why: 'no backup has this id',
    next: 'see "backup list"',
  });
}

export const backupId = parsedBy((text) => {
  if (isBackupId(text)) return text;
  throw notFound(text);
});
export const backupIdOrLatest = parsedBy((text) => {
  if (text === latest || isBackupId(text)) return text;
  throw notFound(text);
});
export const identity = parsedBy((text) => AgeIdentity.parse(text), 65_536);

/** Read only if the option asks for it. */
export const identityStdin = { for: 'the secret age key', into: 'identity', required: false, onlyAsked: true } as const;

export const off = 'backups are off, or an option is not valid';
export const ends = {
  ...changeEnds,
  usage: off,
  notFound: 'there is no such backup',
  unavailable: 'a place of backups, or Incus, does not answer',
  failed: 'the backup is damaged, or a step failed; all changes were undone',
} as const;
