import * as z from 'zod';
import type { ResizeResult } from '../../domain/results/changes.ts';
import { cpuCount, processLimit, size } from '../declaration/schema.ts';
import {
  hasSelection,
  noSelection,
  severalInput,
  severalOptions,
  severalYesOption,
  takingSeveral,
  usersArgument,
} from '../declaration/several.ts';
import { defineVerb } from '../declaration/verb.ts';
import { changeEnds, noContainer, warnings } from './shared.ts';

export const resize = takingSeveral(
  defineVerb({
    name: 'resize',
    summary: 'Change the limits of a container without a restart',
    description: [
      'All changes are checked first, and then either all of them are applied or none. Disk, memory and process limit cannot become smaller than what is in use. Page cache does not count as used memory, because the kernel can release it.',
    ],
    examples: [
      { line: 'resize alice --disk-quota 100GiB', says: 'a larger disk' },
      { line: 'resize alice --cpu 4 --memory 8GiB', says: 'more CPUs and memory' },
      { line: 'resize --label team=blue --memory 8GiB --yes', says: 'all containers with this label' },
    ],
    access: { manage: 'operator' },
    changes: true,
    danger: 'none',
    form: { oneOf: ['cpu', 'memory', 'disk', 'processes'] },
    target: 'user',
    parameters: [
      usersArgument,
      { kind: 'option', name: 'cpu', long: ['cpu'], value: 'count', summary: 'number of CPUs, for example 4' },
      { kind: 'option', name: 'memory', long: ['memory'], value: 'size', summary: 'memory limit, for example 8GiB' },
      {
        kind: 'option',
        name: 'disk',
        long: ['disk-quota', 'disk'],
        value: 'size',
        summary: 'size of the root disk, for example 100GiB',
      },
      {
        kind: 'option',
        name: 'processes',
        long: ['processes'],
        value: 'count',
        summary: 'maximum number of processes and threads, for example 4000',
      },
      ...severalOptions,
      severalYesOption,
    ],
    input: () =>
      z
        .strictObject({
          ...severalInput,
          yes: z.boolean().optional(),
          cpu: cpuCount.optional(),
          memory: size.optional(),
          disk: size.optional(),
          processes: processLimit.optional(),
        })
        .refine(hasSelection, noSelection)
        .refine(
          ({ cpu, memory, disk, processes }) => [cpu, memory, disk, processes].some((size) => size !== undefined),
          {
            message: 'give at least one of --cpu, --memory, --disk-quota, --processes',
          },
        ),
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
      ...warnings(result.warnings ?? []),
    ],
    rows: (result) => ({ columns: ['what', 'from', 'to'], rows: result.changes.map((c) => [c.what, c.from, c.to]) }),
  }),
);
