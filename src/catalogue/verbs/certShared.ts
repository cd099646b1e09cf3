/** What the verbs about certificates share: options, and the view of a new client certificate. */
import type { CertificateIssued } from '../../domain/results/certificates.ts';
import { duration, hostName, ipAddress, several } from '../declaration/certificates.ts';
import { showTime } from '../declaration/show.ts';
import type { Option } from '../declaration/verb.ts';
import type { Block, ViewContext } from '../declaration/view.ts';
import { warnings } from './shared.ts';

export const nameOptions: readonly Option[] = [
  {
    kind: 'option',
    name: 'serverIp',
    long: ['server-ip', 'ips'],
    value: 'address',
    repeatable: true,
    summary: 'address under which clients reach the server, or several with commas',
  },
  {
    kind: 'option',
    name: 'serverName',
    long: ['server-name', 'dns'],
    value: 'name',
    repeatable: true,
    summary: 'name under which clients reach the server, or several with commas',
  },
  {
    kind: 'option',
    name: 'duration',
    long: ['duration'],
    value: 'time',
    summary: "validity of the server's certificate, for example 365d or 8760h",
  },
];
export const names = {
  serverIp: several(ipAddress).optional(),
  serverName: several(hostName).optional(),
  duration: duration.optional(),
};

export const outputOption: Option = {
  kind: 'option',
  name: 'outputFolder',
  long: ['output-dir', 'output'],
  value: 'folder',
  file: 'written',
  summary: 'write the files there, keys with mode 0600; on the host and with --server',
};

/** The files of an answer, in one text: what `--certs-dir` reads as `bundle.pem` (docs/remote.md). */
export function bundle({ files }: CertificateIssued): string {
  return files.map(({ content }) => (content === undefined ? '' : `${content.trimEnd()}\n`)).join('');
}

export const issuedView = (result: CertificateIssued, context: ViewContext): Block[] => [
  {
    kind: 'text',
    tone: 'good',
    text: `Certificate for ${result.admin}, valid until ${showTime(result.expiresAt, context)}, serial ${result.serial}`,
  },
  {
    kind: 'text',
    text: `With its files in ~/.config/containarium/certs, ${result.admin} types: ${result.command} list`,
  },
  ...warnings(result.warnings),
  ...(bundle(result) === '' ? [] : [{ kind: 'verbatim', text: bundle(result) } as const]),
];
