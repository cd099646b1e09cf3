/** docs/exit-codes.md, from the table of failures. */
import { exitCodes, exitMeanings, failureCodes, type ExitName, type FailureCode } from '../domain/failure.ts';
import { code, inline, page, section, table } from './markdown.ts';

/** When each failure code is used: a clause without a full stop. A code without one does not compile. */
export const failureMeanings: Readonly<Record<FailureCode, string>> = {
  usage:
    'the command line is not one of this verb: an argument is missing or one too many, a value is none of the choices',
  'unknown-command': 'there is no such verb',
  'unknown-option': 'the verb has no such option',
  'shell-syntax': 'a shell operator or an open quote in the command line; there is no shell here',
  'invalid-user': 'not a user name',
  'invalid-size': 'not a size, or one without a unit',
  'invalid-count': 'not a whole number in its range',
  'invalid-key': 'not a public key that is accepted here',
  'private-key': 'a private key was sent; it has not been stored',
  'invalid-label': 'not a label',
  'invalid-image': 'not the name of an image',
  'invalid-time': 'not a point in time',
  'missing-key': 'no public key arrived',
  'input-too-large': 'the input is longer than anything sensible',
  'confirmation-required': 'it has to be confirmed, and there is no terminal to ask on: add --yes',
  'confirmation-mismatch': 'another name was typed than the one that was asked for',
  settings: 'the configuration or the host does not allow it: see what the message names',
  'not-found': 'there is no such container, key, admin or image, or it is not yours to see',
  denied: 'you may not do this',
  exists: 'it is there already',
  busy: 'another operation on the same container is running',
  'not-ours': 'an account or an instance of this name exists that this system did not make',
  'last-key': 'the last key of a container is removed only with --yes',
  'last-admin': 'the last admin cannot be removed',
  'below-use': 'more than the new size is in use',
  'wrong-state': 'the container is not in a state in which this can be done',
  'no-space': 'the storage pool or the network is full',
  'already-running': 'a server works in this home already',
  partial: 'a step failed, and what was done could not be taken back yet; the server tries that again by itself',
  differences: 'accounts or keys differ from Incus',
  timeout: 'a step took longer than its limit; what it had changed has been taken back',
  'incus-unavailable': 'Incus does not answer',
  'core-unavailable': 'the server does not answer',
  'journal-unwritable': 'the journal cannot be written, and what cannot be recorded is not done',
  'shutting-down': 'the server is stopping and takes no new changes',
  cancelled: 'it was cancelled; what it had changed has been taken back',
  'program-failed': 'a program on the host failed',
  'program-missing': 'a program on the host is not installed',
  'unexpected-output': 'a program on the host answered something that this version does not understand',
  'journal-damaged': 'a record of the journal is not as it was written',
  unhealthy: 'a check found a problem',
  internal: 'an error of the server itself: please report it',
};

const example = {
  ok: false,
  command: 'info',
  host: { kind: 'incus', simulated: false, why: 'Incus is reachable and usable' },
  error: {
    code: 'not-found',
    what: 'container of "nobody"',
    why: 'there is no such container',
    next: 'list shows the containers there are',
    exitCode: exitCodes.notFound,
  },
};

export function exitCodesPage(): string {
  const codes = Object.keys(failureCodes) as FailureCode[];
  const names = Object.keys(exitCodes) as ExitName[];
  return page(
    'Exit codes',
    'The same over ssh and on the host. They do not change between versions, stay below 126 (above that POSIX shells use them), and are never 255, which the ssh client keeps for its own failures.',
    table(
      ['Code', 'Name', 'Meaning'],
      names.map((name) => [String(exitCodes[name]), inline(name), exitMeanings[name]]),
    ),
    section(
      'Failure codes',
      'A failure says what failed, why, and what to do next, on standard error. Its code stands at the end of the first line; the exit code follows from it.',
      table(
        ['Failure code', 'Exit code', 'When'],
        codes.map((name) => [inline(name), String(exitCodes[failureCodes[name]]), failureMeanings[name]]),
      ),
    ),
    section(
      'With --json',
      'Exactly one document on standard output, also for failures:',
      code(JSON.stringify(example, null, 2).split('\n'), 'json'),
    ),
  );
}
