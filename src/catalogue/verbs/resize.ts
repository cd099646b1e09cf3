import { z } from 'zod';
import type { ResizeResult } from '../../domain/results/changes.ts';
import { cpuCount, size, username } from '../declaration/schema.ts';
import { defineVerb } from '../declaration/verb.ts';
import { changeEnds, noContainer, userArgument } from './shared.ts';

export const resize = defineVerb({
  name: 'resize',
  summary: 'Change CPUs, memory and disk of a container while it runs',
  description: [
    'All changes are checked first and applied as one: either all of them or none. Neither disk nor memory can become smaller than what is in use; page cache is not counted, the kernel gives it back.',
  ],
  examples: [
    { line: 'resize alice --disk-quota 100GiB', says: 'a larger disk' },
    { line: 'resize alice --cpu 4 --memory 8GiB', says: 'more CPUs and memory at once' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  form: { oneOf: ['cpu', 'memory', 'disk'] },
  target: 'user',
  parameters: [
    userArgument,
    { kind: 'option', name: 'cpu', long: ['cpu'], value: 'count', summary: 'number of CPUs, for example 4' },
    { kind: 'option', name: 'memory', long: ['memory'], value: 'size', summary: 'memory, for example 8GiB' },
    {
      kind: 'option',
      name: 'disk',
      long: ['disk-quota', 'disk'],
      value: 'size',
      summary: 'size of the root disk, for example 100GiB',
    },
  ],
  input: z
    .strictObject({ user: username, cpu: cpuCount.optional(), memory: size.optional(), disk: size.optional() })
    .refine((input) => input.cpu !== undefined || input.memory !== undefined || input.disk !== undefined, {
      message: 'give at least one of --cpu, --memory, --disk-quota',
    }),
  ends: {
    ...changeEnds,
    notFound: noContainer,
    conflict:
      'more than the new size is in use, the root disk comes from a profile, or another operation on this container is still running',
  },
  view: (result: ResizeResult) => [
    result.changes.length === 0
      ? { kind: 'text', text: `${result.container} already has this size`, tone: 'quiet' }
      : { kind: 'text', text: `${result.container} resized`, tone: 'good' },
    ...(result.changes.length === 0
      ? []
      : [
          {
            kind: 'fields',
            fields: result.changes.map((c) => [c.what, `${c.from ?? 'none'} → ${c.to}`] as const),
          } as const,
        ]),
  ],
  rows: (result) => ({ columns: ['what', 'from', 'to'], rows: result.changes.map((c) => [c.what, c.from, c.to]) }),
});
