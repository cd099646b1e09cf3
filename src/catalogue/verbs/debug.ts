import { isIP } from 'node:net';
import * as z from 'zod';
import type { AccessPath } from '../../domain/results/debug.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { parsedBy, username } from '../declaration/schema.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block } from '../declaration/view.ts';
import { noContainer, readEnds, userArgument } from './shared.ts';

const address = parsedBy((text) => {
  if (isIP(text) !== 0) return text;
  throw new Failure('usage', {
    what: `address ${quoted(text)}`,
    why: 'it is no IPv4 or IPv6 address',
    next: 'for example --from 198.51.100.7',
  });
}, 64);

export const debug = defineVerb({
  name: 'debug',
  aliases: ['why'],
  summary: 'Find out why a user cannot get in',
  description: [
    "Checks every link from the user's client to the shell in the container, in the order in which a login passes them, and names the first that is broken with what mends it. The exit code is 1 if one is.",
    'At self@ it shows the part that is yours. Whether your client can reach the host at all, only your client can tell: `ssh -v`.',
  ],
  examples: [
    { line: 'debug alice', says: 'every link, and the first that is broken' },
    { line: 'debug alice --from 198.51.100.7', says: 'also whether her address is banned' },
  ],
  access: { manage: 'viewer', self: true },
  changes: false,
  helpsRepair: true,
  danger: 'none',
  target: 'user',
  parameters: [
    { ...userArgument, required: 'manage', summary: 'user who cannot get in (at self@: you by default)' },
    { kind: 'option', name: 'from', long: ['from'], value: 'address', summary: "address of the user's client" },
  ],
  input: () => z.strictObject({ user: username.optional(), from: address.optional() }),
  ends: { ...readEnds, notFound: noContainer, failed: 'a link is broken' },
  exit: ({ broken }) => (broken === null ? 'ok' : 'failed'),
  view: ({ user, links, broken }: AccessPath): Block[] => {
    const first = links.find(({ name }) => name === broken);
    return [
      {
        kind: 'table',
        columns: [{ title: 'LINK' }, { title: 'RESULT' }, { title: 'DETAIL' }],
        rows: links.map(({ name, severity, detail }) => [name, severity, detail]),
        empty: '',
      },
      first === undefined
        ? { kind: 'text', tone: 'good', text: `Nothing keeps ${user} out, as far as can be seen from here` }
        : {
            kind: 'text',
            tone: 'bad',
            text: `${first.name}: ${first.detail}${first.next === null ? '' : ` → ${first.next}`}`,
          },
    ];
  },
  rows: ({ links }) => ({
    columns: ['link', 'severity', 'detail', 'next'],
    rows: links.map(({ name, severity, detail, next }) => [name, severity, detail, next]),
  }),
});
