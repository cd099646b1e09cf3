/** Parameters and views that several verbs share. */
import type { CertificateMark } from '../../domain/access/actor.ts';
import type { KeyInfo } from '../../domain/results/keys.ts';
import type { Argument, Option } from '../declaration/verb.ts';
import type { Block, Column, Rows, ViewContext } from '../declaration/view.ts';
import { showTime } from '../declaration/show.ts';

export const userArgument: Argument = {
  kind: 'argument',
  name: 'user',
  summary: 'the user whose container it is',
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
  summary: 'the public key itself, or "-" for standard input; on the host also the path of a file',
};

export const keyStdin = { for: 'public keys, one a line', into: 'keys', required: true } as const;

/** Exit codes of verbs that ask Incus. */
export const readEnds = { timeout: 'Incus did not answer within its limit' } as const;

/** Exit codes of verbs that change a container. */
export const changeEnds = {
  conflict: 'another operation on this container is still running',
  partial: 'a step failed, and what was done could not be taken back yet; the server tries that again by itself',
  timeout: 'a step took longer than its limit; what was done has been taken back',
} as const;

export const noContainer = 'the user has no container';

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

/** A certificate by its authority's name here, and what the authority wrote into it. */
export function certificateText({ ca, keyId, serial }: CertificateMark): string {
  return `"${keyId}", serial ${serial}, of the authority ${ca}`;
}

export function warnings(list: readonly string[]): Block[] {
  return list.map((text) => ({ kind: 'text', text: `Note: ${text}`, tone: 'warn' }));
}
