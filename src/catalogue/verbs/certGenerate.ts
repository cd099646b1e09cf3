/** `cert generate`, `cert generate-with-ca`. */
import * as z from 'zod';
import { authority, certificateText, keyText, organization } from '../declaration/certificates.ts';
import { existing, someText } from '../declaration/schema.ts';
import { defineVerb, type Option } from '../declaration/verb.ts';
import { bundle, issuedView, nameOptions, names, outputOption } from './certShared.ts';

const generateOptions: readonly Option[] = [
  ...nameOptions,
  { kind: 'option', name: 'org', long: ['org'], value: 'name', summary: 'organisation in the certificates' },
  {
    kind: 'option',
    name: 'admin',
    long: ['admin'],
    value: 'name',
    summary: 'admin who gets the first client certificate (default: you)',
    complete: 'admins',
  },
  {
    kind: 'option',
    name: 'replace',
    long: ['replace'],
    summary: 'make a new CA although there is one; every certificate of the present one ends',
  },
  outputOption,
];
const generation = {
  ...names,
  org: organization.optional(),
  admin: existing('admin', 'admin list').optional(),
  replace: z.boolean().optional(),
  outputFolder: someText(4096).optional(),
};

export const certGenerate = defineVerb({
  name: 'cert generate',
  summary: 'Make CA, server and first client certificate for remote access',
  description: [
    'A client compares the server certificate with the name or the address that it dials, so give all that are in use. Without any, jump.hostname is taken.',
    "The CA's key and the server's key stay on the host, in the folder `remote.certificatesFolder`. The client's key is in the answer and nowhere else.",
  ],
  examples: [
    { line: 'cert generate --server-ip 203.0.113.5 --server-name jump.example.org', says: 'for two ways to dial' },
  ],
  ends: { conflict: 'there is a CA already' },
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  form: {},
  parameters: generateOptions,
  input: () => z.strictObject(generation),
  view: issuedView,
  files: 'files',
  copy: bundle,
});

export const certGenerateWithCa = defineVerb({
  name: 'cert generate-with-ca',
  summary: 'Make server and first client certificate with a CA that exists',
  description: [
    'The CA must be an RSA key. Over ssh, its certificate and its key are read from standard input, one after the other.',
    'Every certificate of this CA that is for clients and names an admin is accepted, also one that another program has made.',
  ],
  examples: [
    {
      line: 'cert generate-with-ca --server-name jump.example.org < ca.pem',
      says: 'with a file that has certificate and key; on the host also --ca-cert ca.crt --ca-key ca.key',
    },
  ],
  ends: { conflict: 'there is a CA already' },
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  stdin: {
    for: 'the certificate and the key of the CA, as PEM',
    into: 'ca',
    required: false,
    unless: ['caCert', 'caKey'],
  },
  form: { oneOf: ['ca', 'caCert'] },
  parameters: [
    {
      kind: 'option',
      name: 'caCert',
      long: ['ca-cert'],
      value: 'file',
      file: 'read',
      summary: 'file with the certificate of the CA; on the host and with --server',
    },
    {
      kind: 'option',
      name: 'caKey',
      long: ['ca-key'],
      value: 'file',
      file: 'read',
      summary: 'file with its key',
    },
    ...generateOptions,
  ],
  input: () =>
    z.strictObject({
      ...generation,
      ca: authority.optional(),
      caCert: certificateText.optional(),
      caKey: keyText.optional(),
    }),
  view: issuedView,
  files: 'files',
  copy: bundle,
});
