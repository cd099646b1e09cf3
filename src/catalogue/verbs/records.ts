/** Records of the journal as text, for `audit` and `security`. */
import { actorTitle } from '../../domain/access/actor.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts';
import { plural, safeJson } from '../../domain/text.ts';
import { shortDuration } from '../../domain/values/duration.ts';

/** Returns a field of a record as text, or null if the record does not have it. */
export function text(value: JsonValue | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : safeJson(value);
}

export function actorName(record: JsonObject): string {
  const actor = record['actor'];
  return text(isJsonObject(actor) ? actor['name'] : actor) ?? '-';
}

/** Returns the actor of a record as others are told. */
export function actorOf(record: JsonObject): string {
  return actorTitle({ name: actorName(record), entryPoint: entryPointOf(record) });
}

/** Returns the entry point of a record's actor, or null. `door` is its name in records of version 0.1. */
export function entryPointOf({ actor }: JsonObject): string | null {
  return isJsonObject(actor) ? text(actor['entryPoint'] ?? actor['door']) : null;
}

/** Returns the DETAIL cell of a record. */
export function detailText(record: JsonObject): string {
  const failure = record['failure'];
  if (isJsonObject(failure)) {
    const why = text(failure['why']);
    return `${text(failure['code']) ?? '-'}${why === null ? '' : `: ${why}`}`;
  }
  if (typeof record['kind'] === 'string') return record['kind'];
  switch (record['type']) {
    case 'login':
      return loginText(record);
    case 'logout':
      return [
        `after ${shortDuration(number(record['durationMs']))}`,
        ...(record['reason'] === undefined ? [] : [text(record['reason']) ?? '-']),
      ].join(': ');
    case 'connection':
      return connectionText(record);
    case 'connection-end':
      return `${connectionText(record)}, ${record['cut'] === true ? 'cut' : 'ended'} after ${shortDuration(number(record['durationMs']))}`;
    case 'connections':
      return furtherText(record, 'further connection');
    case 'calls':
      return furtherText(record, 'further call');
    case 'ssh-failures':
      return `at the host: ${failuresText(record, 'failed login')}`;
    case 'refusals':
      return failuresText(record, 'refusal');
    case 'unsupported-requests':
    // The name in records of version 0.1.
    case 'not-offered':
      return unsupportedText(record);
    default:
      break;
  }
  const input = record['input'];
  return isJsonObject(input) ? inputText(input, record['target']) : '';
}

/** Returns the input of a call as `disk=50GB cpu=2`, without what is its target. */
function inputText(input: JsonObject, target: JsonValue | undefined): string {
  return Object.entries(input)
    .filter(([, value]) => value !== target)
    .map(
      ([name, value]) => `${name}=${typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : safeJson(value)}`,
    )
    .join(' ');
}

/** Returns the entry point, address, key and algorithm of a login. */
function loginText(record: JsonObject): string {
  const { actor, by } = record;
  const from = isJsonObject(actor) ? actor : {};
  const means = isJsonObject(by) ? ` (${text(by['algorithm']) ?? '-'})` : '';
  return `${entryPointOf(record) ?? '-'}@ from ${text(from['address']) ?? '-'}, ${text(from['fingerprint']) ?? '-'}${means}`;
}

/** Returns the container, address and key of a connection through the host. */
function connectionText(record: JsonObject): string {
  const { actor, by } = record;
  const from = isJsonObject(actor) ? actor : {};
  const means = isJsonObject(by) ? (text(by['algorithm'] ?? by['method']) ?? '-') : '-';
  return `to ${text(record['container']) ?? '-'} from ${text(from['address']) ?? '-'}, ${text(from['fingerprint']) ?? '-'} (${means})`;
}

/** Returns the number of connections or calls without records of their own, and the people with the most of them. */
function furtherText(record: JsonObject, what: string): string {
  const top = Array.isArray(record['top']) ? record['top'].filter(isJsonObject).slice(0, 3) : [];
  const frequent = top.map(({ user, name, count }) => `${text(user ?? name) ?? '-'} ${number(count)}`).join(', ');
  return `${plural(number(record['count']), what)}: ${frequent}`;
}

/** Returns the number of refused or failed logins and of their sources, and the most frequent sources. */
function failuresText(record: JsonObject, what: string): string {
  const top = Array.isArray(record['top']) ? record['top'].filter(isJsonObject).slice(0, 3) : [];
  const frequent = top.map((source) => `${text(source['address']) ?? '-'} ${number(source['count'])}`).join(', ');
  return `${plural(number(record['count']), what)} from ${plural(number(record['sources']), 'source')}: ${frequent}`;
}

/** Returns the number and kinds of unsupported requests, and the people with the most of them. */
function unsupportedText(record: JsonObject): string {
  const top = Array.isArray(record['top']) ? record['top'].filter(isJsonObject).slice(0, 3) : [];
  const frequent = top.map((person) => `${text(person['name']) ?? '-'} ${number(person['count'])}`).join(', ');
  const kinds = isJsonObject(record['asked']) ? Object.keys(record['asked']).join(', ') : '-';
  return `refused ${plural(number(record['count']), 'time')} (${kinds}): ${frequent}`;
}

function number(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}
