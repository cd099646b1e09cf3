/** The verbs about logins over ssh, which users know as sessions. */
import * as z from 'zod';
import type { LoginInfo } from '../../domain/access/login.ts';
import type { KickResult } from '../../domain/results/sessions.ts';
import { existing } from '../declaration/schema.ts';
import { plural } from '../../domain/text.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';

/** Returns the name of a login; for an owner of several containers with the names of the others. */
function shownName({ name, containers }: LoginInfo): string {
  const others = containers.filter((user) => user !== name);
  return others.length === 0 ? name : `${name} (also ${others.join(', ')})`;
}

/** An id (https://github.com/ulid/spec) or a name. */
const idOrName = existing('session', 'session list', (text) => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text));

export const sessionList = defineVerb({
  name: 'session list',
  aliases: ['session ls'],
  summary: 'List who is logged in over ssh',
  description: [
    'A session is one login, that is, one connection of an ssh client, with or without a shell. Journal records contain its id.',
  ],
  examples: [{ line: 'session list', says: 'names, roles, times and addresses' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
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
      rows: sessions.map((session) => [
        session.login,
        shownName(session),
        session.role,
        session.entryPoint,
        showTime(session.since, context),
        session.address ?? '-',
        String(session.shells),
      ]),
      empty: 'Nobody is logged in',
    },
  ],
  rows: ({ sessions }) => ({
    columns: ['session', 'name', 'role', 'entry_point', 'fingerprint', 'since', 'address', 'shells', 'containers'],
    rows: sessions.map(({ login, name, role, entryPoint, fingerprint, since, address, shells, containers }) => [
      login,
      name,
      role,
      entryPoint,
      fingerprint,
      since,
      address,
      shells,
      containers.join(' '),
    ]),
  }),
});

export const sessionKick = defineVerb({
  name: 'session kick',
  summary: 'End a session, or all sessions of a person, at once',
  description: [
    'The person is told who ended the session, and why. Operations that they started continue. They can log in again until their key is removed with `admin remove` or `key remove`, which ends their sessions as well.',
  ],
  ends: { notFound: 'no session has this id, and no person of this name is logged in' },
  examples: [
    { line: 'session kick carol', says: 'all sessions of Carol' },
    {
      line: 'session kick 01M8799YAR45ETPWCW97SJ2KYT --reason "maintenance"',
      says: 'one session, by its id in session list',
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
      summary: 'id of a session, or name of a person',
      required: true,
      complete: 'sessions',
    },
    { kind: 'option', name: 'reason', long: ['reason'], value: 'text', summary: 'reason that the person sees' },
  ],
  input: () => z.strictObject({ session: idOrName, reason: z.string().trim().min(1).max(200).optional() }),
  view: ({ ended }: KickResult) => [
    {
      kind: 'text',
      tone: 'good',
      text: `${plural(ended.length, 'session')} ended: ${[...new Set(ended.map(({ name }) => name))].join(', ')}`,
    },
  ],
  rows: ({ ended }) => ({ columns: ['session', 'name'], rows: ended.map(({ login, name }) => [login, name]) }),
});
