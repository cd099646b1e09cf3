/** Parameters and views that several verbs share. */
import type { KeyInfo } from '../../domain/container.ts';
import type { Argument, Option } from '../verb.ts';
import type { Block, Column, Rows, ViewContext } from '../view.ts';
import { showTime } from '../show.ts';

export const userArgument: Argument = {
  kind: 'argument',
  name: 'user',
  summary: 'whose container: lower-case letters, digits and inner hyphens',
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
  summary: 'the public key itself, or "-" for standard input; on the host also a file',
};

export const keyStdin = { for: 'public keys, one a line', into: 'keys', required: true } as const;

export function keyTable(keys: readonly KeyInfo[], context: ViewContext, empty: string): Block {
  const columns: Column[] = [{ title: 'TYPE' }, { title: 'FINGERPRINT' }, { title: 'COMMENT' }, { title: 'ADDED' }, { title: 'BY' }];
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

export function warnings(list: readonly string[]): Block[] {
  return list.map((text) => ({ kind: 'text', text: `Note: ${text}`, tone: 'warn' }));
}
