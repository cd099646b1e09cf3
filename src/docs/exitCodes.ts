/** Generator of docs/exit-codes.md, from the table of failures. */
import { exitCodes, exitMeanings, failureCodes, type ExitName, type FailureCode } from '../domain/failure.ts';
import { code, inline, page, section, table } from './markdown.ts';

/** The meaning of each failure code, as a clause without a full stop. Every code must have one to compile. */
const failureMeanings: Readonly<Record<FailureCode, string>> = {
  usage:
    'the command line does not fit the verb: an argument is missing or unexpected, or a value is not one of the choices',
  'unknown-command': 'no such verb',
  'unknown-option': 'the verb has no such option',
  'shell-syntax': 'the command line has a shell operator or an open quote, but there is no shell here',
  'invalid-user': 'not a valid user name',
  'invalid-size': 'not a size, or a size without a unit',
  'invalid-count': 'not a whole number in the allowed range',
  'invalid-key': 'not an accepted public key',
  'private-key': 'a private key was sent; it was not stored',
  'invalid-label': 'not a valid label',
  'invalid-image': 'not a valid image name',
  'invalid-time': 'not a valid time',
  'missing-key': 'no public key was given',
  'input-too-large': 'the input exceeds a limit on its length',
  'confirmation-required': 'the call needs to be confirmed, and was not asked about: add --yes',
  'confirmation-mismatch': 'the name typed for confirmation does not match',
  settings: 'the configuration or the host does not allow it: see the message for details',
  'not-found': 'no such container, key, admin or image, or you may not see it',
  denied: 'permission denied',
  exists: 'it already exists',
  busy: 'another operation on the same container is running',
  'not-ours': 'an account or instance of this name exists that containarium did not create',
  'last-key': 'the last key of a container can only be removed with --yes',
  'last-admin': 'the last admin cannot be removed',
  'below-use': 'more than the new size is in use',
  'wrong-state': 'the container is not in a suitable state',
  'no-space': 'the storage pool, the network or a disk is full',
  'already-running': 'another server already uses this home',
  partial: 'a step failed and could not be undone completely yet; the server retries by itself',
  differences: 'accounts or keys differ from Incus',
  timeout: 'a step timed out; its changes were undone',
  'incus-unavailable': 'Incus does not answer',
  'core-unavailable': 'the server does not answer',
  'journal-unwritable': 'the journal cannot be written, and nothing is done without a record',
  'store-unavailable': 'a place for backups, or a disk of the server, cannot be used',
  undeliverable: 'a server to which something is sent does not take it',
  'shutting-down': 'the server is stopping and accepts no new changes',
  cancelled: 'the command was cancelled; its changes were undone',
  'program-failed': 'a program on the host failed',
  'program-missing': 'a program on the host is not installed',
  'unexpected-output': 'a program on the host printed something that this version does not understand',
  'journal-damaged': 'a journal record is not as it was written',
  'backup-damaged': 'a backup is not as it was stored',
  'release-damaged': 'an archive of a release is not as it was made',
  unhealthy: 'a check found a problem',
  internal: 'an internal error of the server: please report it',
};

const example = {
  ok: false,
  command: 'info',
  host: { kind: 'incus', simulated: false, why: 'Incus is reachable and usable' },
  error: {
    code: 'not-found',
    what: 'container of "nobody"',
    why: 'no such container',
    next: '"list" shows all containers',
    exitCode: exitCodes.notFound,
  },
};

export function exitCodesPage(): string {
  const codes = Object.keys(failureCodes) as FailureCode[];
  const names = Object.keys(exitCodes) as ExitName[];
  return page(
    'Exit codes',
    'Exit codes are the same over ssh and on the host. A change of a code stands in the changelog. They are below 126, because POSIX shells use 126 and above, and never 255, which ssh uses for its own errors. `shell` alone ends with the exit code of the program in the container.',
    table(
      ['Code', 'Name', 'Meaning'],
      names.map((name) => [String(exitCodes[name]), inline(name), exitMeanings[name]]),
    ),
    section(
      'Failure codes',
      'An error message on standard error says what failed, why, and what to do next. The failure code at the end of its first line determines the exit code.',
      table(
        ['Failure code', 'Exit code', 'When'],
        codes.map((name) => [inline(name), String(exitCodes[failureCodes[name]]), failureMeanings[name]]),
      ),
    ),
    section(
      'With --json',
      'With `--json`, the output is exactly one document on standard output, even for an error:',
      code(JSON.stringify(example, null, 2).split('\n'), 'json'),
      'A call that worked, and whose result is not a success, has `ok: false` and its `result`, without `error`: `reconcile` with differences, `backup rebuild` with containers that could not be made, `doctor` and `audit verify` with a problem. The exit code is as above.',
    ),
  );
}
