/** `cert issue`, `cert list`, `cert revoke`, `cert renew`. */
import * as z from 'zod';
import type { CertificateChange, CertificateList } from '../../domain/results/certificates.ts';
import { existing, untilWhen, someText } from '../declaration/schema.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';
import { bundle, issuedView, nameOptions, names, outputOption } from './certShared.ts';

export const certIssue = defineVerb({
  name: 'cert issue',
  summary: 'Issue a client certificate for an admin',
  description: [
    'The certificate carries the name of the admin, whose role counts. Removing the admin or revoking the certificate ends it at once, with its open connections.',
  ],
  examples: [
    {
      line: 'cert issue carol --expires 90d > bundle.pem',
      says: 'for carol, with certificate, key and CA in one file',
    },
  ],
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  form: {},
  target: 'admin',
  parameters: [
    { kind: 'argument', name: 'admin', summary: 'name of the admin', required: true, complete: 'admins' },
    {
      kind: 'option',
      name: 'expires',
      long: ['expires'],
      value: 'time',
      summary: 'end of its validity: 90d, or a date; default: a year',
    },
    outputOption,
  ],
  input: () =>
    z.strictObject({
      admin: existing('admin', 'admin list'),
      expires: untilWhen.optional(),
      outputFolder: someText(4096).optional(),
    }),
  view: issuedView,
  files: 'files',
  copy: bundle,
});

function listBlocks({ server, certificates }: CertificateList, context: ViewContext): Block[] {
  return [
    {
      kind: 'table',
      columns: [
        { title: 'ADMIN' },
        { title: 'STATE' },
        { title: 'EXPIRES' },
        { title: 'SERIAL' },
        { title: 'ISSUED' },
        { title: 'BY' },
      ],
      rows: certificates.map((c) => [
        c.admin,
        c.state,
        showTime(c.expiresAt, context),
        c.serial,
        showTime(c.issuedAt, context),
        c.issuedBy,
      ]),
      empty: 'No client certificates',
    },
    server === null
      ? { kind: 'text', tone: 'quiet', text: 'No CA yet: "cert generate --server-ip ADDRESS"' }
      : {
          kind: 'text',
          tone: 'quiet',
          text:
            `Server certificate for ${server.names.join(', ')}, valid until ${showTime(server.expiresAt, context)}; ` +
            (server.listen === null ? 'the remote interface is off (remote.listen)' : `listening on ${server.listen}`),
        },
  ];
}

function listRows({ certificates }: CertificateList): Rows {
  return {
    columns: ['admin', 'state', 'expires_at', 'serial', 'issued_at', 'issued_by'],
    rows: certificates.map((c) => [c.admin, c.state, c.expiresAt, c.serial, c.issuedAt, c.issuedBy]),
  };
}

const changeView = (result: CertificateChange, context: ViewContext): Block[] => [
  { kind: 'text', tone: 'good', text: `Done: ${result.did}` },
  ...listBlocks(result, context),
];

export const certList = defineVerb({
  name: 'cert list',
  aliases: ['cert ls'],
  summary: 'List the certificates of the remote interface',
  examples: [{ line: 'cert list', says: 'client certificates, and the end of the server certificate' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  view: listBlocks,
  rows: listRows,
});

export const certRevoke = defineVerb({
  name: 'cert revoke',
  summary: 'Revoke a client certificate, or all of an admin',
  description: ['Connections with it end within two seconds. It cannot be undone; "cert issue" makes another.'],
  examples: [
    { line: 'cert revoke carol', says: 'all certificates of carol' },
    { line: 'cert revoke 4f3a5d2c8e9b1a7064d1c2b3a4958677', says: 'one certificate' },
  ],
  ends: { notFound: 'no such admin or serial' },
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  form: {},
  target: 'certificate',
  parameters: [
    {
      kind: 'argument',
      name: 'certificate',
      summary: 'serial of the certificate, or name of the admin',
      required: true,
      complete: 'admins',
    },
  ],
  input: () =>
    z.strictObject({
      certificate: existing('certificate', 'cert list', (text) => /^[0-9a-f:]{16,64}$/i.test(text)),
    }),
  view: changeView,
  rows: listRows,
});

export const certRenew = defineVerb({
  name: 'cert renew',
  summary: 'Make a new server certificate of the remote interface',
  description: [
    'The server renews its certificate by itself 30 days before the end. This verb is for other names or addresses. Open connections stay, and new ones get the new certificate at once.',
  ],
  examples: [{ line: 'cert renew --server-name jump2.example.org', says: 'for another name' }],
  ends: { notFound: 'there are no certificates yet' },
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  form: {},
  parameters: nameOptions,
  input: () => z.strictObject(names),
  view: changeView,
  rows: listRows,
});
