import * as z from 'zod';
import type { CreateResult } from '../../domain/results/changes.ts';
import {
  cpuCount,
  imageReference,
  labelsToSet,
  newUsername,
  processLimit,
  publicKeys,
  size,
  untilWhen,
} from '../declaration/schema.ts';
import { plural } from '../../domain/text.ts';
import { showLimit } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import { changeEnds, keyStdin, publicKeyOption, userArgument, warnings } from './shared.ts';

export const create = defineVerb({
  name: 'create',
  summary: 'Create a container and its jump account',
  description: [
    'The container is cloned from the prepared image, with the user, the keys and the SSH host key in place before its first start. The command finishes when the sshd in the container answers with that host key. If a step fails, everything created so far is removed.',
    'The public keys are read from standard input, one per line, or from --ssh-key. Over ssh the server cannot open a file on your machine: redirect the file to standard input.',
    'Sizes take a unit: GiB (1024³ bytes) or GB (1000³ bytes).',
  ],
  examples: [
    { line: 'create alice < alice.pub', says: 'with the defaults from the configuration file' },
    { line: 'create bob --cpu 2 --memory 4GiB --disk-quota 50GiB < bob.pub', says: 'with explicit limits' },
    {
      line: 'create ci-runner --no-autostart --label team=build < ci.pub',
      says: 'with a label, and not started when the host boots',
    },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  isCancellable: true,
  form: {},
  stdin: keyStdin,
  target: 'user',
  parameters: [
    {
      ...userArgument,
      isNew: true,
      summary: 'user name: at most 32 lower-case letters, digits and hyphens, starting with a letter',
    },
    publicKeyOption,
    { kind: 'option', name: 'cpu', long: ['cpu'], value: 'count', summary: 'number of CPUs, for example 4' },
    { kind: 'option', name: 'memory', long: ['memory'], value: 'size', summary: 'memory limit, for example 4GiB' },
    {
      kind: 'option',
      name: 'disk',
      long: ['disk-quota', 'disk'],
      value: 'size',
      summary: 'size of the root disk, for example 50GiB',
    },
    {
      kind: 'option',
      name: 'processes',
      long: ['processes'],
      value: 'count',
      summary: 'maximum number of processes and threads, for example 4000',
    },
    {
      kind: 'option',
      name: 'image',
      long: ['image'],
      value: 'image',
      summary: 'base image or local alias; a prepared image is built from it first if necessary',
      complete: 'images',
    },
    {
      kind: 'option',
      name: 'autostart',
      long: ['autostart'],
      negatable: true,
      summary: 'start the container when the host boots (default)',
    },
    {
      kind: 'option',
      name: 'docker',
      long: ['docker'],
      negatable: true,
      summary: 'allow Docker in the container (default)',
    },
    {
      kind: 'option',
      name: 'labels',
      long: ['label', 'labels'],
      short: 'l',
      value: 'key=value',
      repeatable: true,
      summary: 'label of the container',
    },
    {
      kind: 'option',
      name: 'expires',
      long: ['ttl'],
      value: 'when',
      summary: 'move it to the trash then: a duration such as 30d, or a time',
    },
  ],
  input: () =>
    z.strictObject({
      user: newUsername,
      keys: publicKeys,
      cpu: cpuCount.optional(),
      memory: size.optional(),
      disk: size.optional(),
      processes: processLimit.optional(),
      image: imageReference.optional(),
      autostart: z.boolean().optional(),
      docker: z.boolean().optional(),
      labels: labelsToSet(64).optional(),
      expires: untilWhen.optional(),
    }),
  ends: {
    ...changeEnds,
    failed: 'a step failed; everything created was removed',
    conflict:
      'the user already has a container, an account or instance of that name exists that containarium did not create, the storage pool or the network is full, or another operation on this user is still running',
  },
  view: ({ container: made, sshConfig, warnings: list }: CreateResult) => [
    { kind: 'text', tone: 'good', text: `Container ${made.name} created` },
    { kind: 'text', text: `Address ${made.address ?? '-'}, ${sizes(made)}` },
    {
      kind: 'text',
      text: `"export ${made.user}" prints the ssh configuration for ${made.user}, "export ${made.user} --known-hosts" the host keys.`,
    },
    { kind: 'text', text: `Then ${made.user} connects with: ssh ${sshConfig.alias}` },
    ...warnings(list),
  ],
  copy: ({ sshConfig }) => sshConfig.config,
});

/** Returns `2 CPUs, 4 GiB memory, 50 GiB disk`. */
function sizes({ cpus, memoryLimitBytes, diskQuotaBytes }: CreateResult['container']): string {
  return [
    ...(cpus === null ? [] : [plural(cpus, 'CPU')]),
    `${showLimit(memoryLimitBytes)} memory`,
    diskQuotaBytes === null ? 'no disk quota' : `${showLimit(diskQuotaBytes)} disk`,
  ].join(', ');
}
