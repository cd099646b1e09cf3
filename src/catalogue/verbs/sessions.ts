/** Who is logged in over ssh, and sending them away. */
import { z } from 'zod';
import type { LoginInfo } from '../../domain/access/login.ts';
import type { KickResult } from '../../domain/results/sessions.ts';
import { plural, showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';

export const sessionList = defineVerb({
  name: 'session list',
  aliases: ['session ls'],
  summary: 'List who is logged in, with shells and without',
  description: [
    'A session is one login: one connection of an ssh client, whatever runs in it. Records of the journal carry its name.',
  ],
  examples: [{ line: 'session list', says: 'who, with which role, since when, from where' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
  view: ({ sessions }: { readonly sessions: readonly LoginInfo[] }, context) => [
    {
      kind: 'table',
      columns: [
        { title: 'SESSION' },
        { title: 'NAME' },
        { title: 'ROLE' },
        { title: 'ENTRY POINT' },
        { title: 'SINCE' },
        { title: 'FROM' },
        { title: 'SHELLS', align: 'right' },
      ],
      rows: sessions.map(({ login, name, role, entryPoint, since, address, shells }) => [
        login,
        name,
        role,
        entryPoint,
        showTime(since, context),
        address ?? '-',
        String(shells),
      ]),
      empty: 'Nobody is logged in',
    },
  ],
  rows: ({ sessions }) => ({
    columns: ['session', 'name', 'role', 'entry_point', 'fingerprint', 'since', 'address', 'shells'],
    rows: sessions.map(({ login, name, role, entryPoint, fingerprint, since, address, shells }) => [
      login,
      name,
      role,
      entryPoint,
      fingerprint,
      since,
      address,
      shells,
    ]),
  }),
});

export const sessionKick = defineVerb({
  name: 'session kick',
  summary: 'End a session, or all sessions of a person, at once',
  description: [
    'Whoever is sent away is told by whom and why. An operation that they began goes on. Their key goes on opening the door: `admin remove` and `key remove` close it, which ends their sessions as well.',
  ],
  ends: { notFound: 'nobody of this name is logged in' },
  examples: [
    { line: 'session kick carol', says: 'all her sessions' },
    {
      line: 'session kick 01M8799YAR45ETPWCW97SJ2KYT --reason "maintenance"',
      says: 'one session, as session list names it',
    },
  ],
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  target: 'session',
  parameters: [
    {
      kind: 'argument',
      name: 'session',
      summary: 'a session, or the name of a person',
      required: true,
      complete: 'sessions',
    },
    { kind: 'option', name: 'reason', long: ['reason'], value: 'text', summary: 'what they are told' },
  ],
  input: z.strictObject({ session: z.string().min(1).max(64), reason: z.string().trim().min(1).max(200).optional() }),
  view: ({ ended }: KickResult) => [
    {
      kind: 'text',
      tone: 'good',
      text: `${plural(ended.length, 'session')} ended: ${[...new Set(ended.map(({ name }) => name))].join(', ')}`,
    },
  ],
  rows: ({ ended }) => ({ columns: ['session', 'name'], rows: ended.map(({ login, name }) => [login, name]) }),
});
