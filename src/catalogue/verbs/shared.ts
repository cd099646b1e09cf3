/** Parameters and views that several verbs share. */
import type { CertificateMark } from '../../domain/access/actor.ts';
import type { KeyInfo } from '../../domain/results/keys.ts';
import type { Argument, Option } from '../declaration/verb.ts';
import type { Block, Column, Rows, ViewContext } from '../declaration/view.ts';
import { showTime } from '../declaration/show.ts';

export const userArgument: Argument = {
  kind: 'argument',
  name: 'user',
  summary: 'user who owns the container',
  required: true,
  complete: 'users',
};

export const yesOption: Option = {
  kind: 'option',
  name: 'yes',
  long: ['yes', 'force'],
  short: 'f',
  summary: 'do not ask for confirmation',
};

export const publicKeyOption: Option = {
  kind: 'option',
  name: 'keys',
  long: ['ssh-key'],
  value: 'key',
  publicKey: true,
  summary: 'the public key itself, or "-" for standard input; on the host also a path',
};

export const keyStdin = { for: 'public keys, one per line', into: 'keys', required: true } as const;

/** Exit codes of verbs that ask Incus. */
export const readEnds = { timeout: 'Incus did not answer in time' } as const;

/** Exit codes of verbs that change a container. */
export const changeEnds = {
  conflict: 'another operation on this container is still running',
  partial: 'a step failed and could not be undone completely yet; the server retries by itself',
  timeout: 'a step timed out; all changes were undone',
} as const;

export const noContainer = 'the user has no container';

/** What verbs have in common with which operators change one container. */
export const containerChange = {
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'user',
  ends: { ...changeEnds, notFound: noContainer },
} as const;

export function keyTable(keys: readonly KeyInfo[], context: ViewContext, empty: string): Block {
  const columns: Column[] = [
    { title: 'TYPE' },
    { title: 'FINGERPRINT' },
    { title: 'COMMENT' },
    { title: 'ADDED' },
    { title: 'BY' },
  ];
  return {
    kind: 'table',
    columns,
    rows: keys.map((key) => [
      key.bits === null ? key.type : `${key.type} ${key.bits}`,
      key.fingerprint,
      key.comment === '' ? '-' : key.comment,
      showTime(key.addedAt, context),
      key.addedBy === '' ? '-' : key.addedBy,
    ]),
    empty,
  };
}

export function keyRows(keys: readonly KeyInfo[]): Rows {
  return {
    columns: ['type', 'bits', 'fingerprint', 'comment', 'added_at', 'added_by'],
    rows: keys.map((key) => [key.type, key.bits, key.fingerprint, key.comment, key.addedAt, key.addedBy]),
  };
}

/** Returns the key id, serial and CA of a certificate. */
export function certificateText({ ca, keyId, serial }: CertificateMark): string {
  return `"${keyId}", serial ${serial}, signed by CA ${ca}`;
}

/** Says that a change has ended a user's connections through the host. */
export function endedConnections(user: string, ended: boolean): Block[] {
  return ended
    ? [{ kind: 'text', text: `The connections of ${user} through the host were ended.`, tone: 'quiet' }]
    : [];
}

export function warnings(list: readonly string[]): Block[] {
  return list.map((text) => ({ kind: 'text', text: `Note: ${text}`, tone: 'warn' }));
}
