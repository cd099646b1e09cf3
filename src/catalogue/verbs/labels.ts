/** The verbs `label set` and `label remove`. */
import * as z from 'zod';
import type { LabelChange } from '../../domain/results/changes.ts';
import { printable } from '../../domain/text.ts';
import { parseLabelKey } from '../../domain/values/label.ts';
import { labelsToSet, parsedBy, username } from '../declaration/schema.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block } from '../declaration/view.ts';
import { containerChange, userArgument } from './shared.ts';

const common = {
  ...containerChange,
  view: ({ container, labels, changed }: LabelChange): Block[] => [
    {
      kind: 'text',
      tone: changed ? 'good' : 'quiet',
      text: `${container}: ${
        Object.entries(labels)
          .map(([key, value]) => printable(`${key}=${value}`))
          .join(' ') || 'no labels'
      }`,
    },
  ],
} as const;

/** Maximum number of labels in one call. */
const maxLabels = 64;

export const labelSet = defineVerb({
  ...common,
  name: 'label set',
  summary: 'Give a container labels, or give its labels other values',
  examples: [{ line: 'label set alice team=blue cost-centre=42', says: 'other labels stay; see "list --label"' }],
  parameters: [
    userArgument,
    { kind: 'argument', name: 'labels', summary: 'labels, as key=value', required: true, rest: true },
  ],
  input: () => z.strictObject({ user: username, labels: labelsToSet(maxLabels).min(1) }),
});

export const labelRemove = defineVerb({
  ...common,
  name: 'label remove',
  aliases: ['label rm'],
  summary: 'Remove labels from a container',
  examples: [{ line: 'label remove alice team', says: 'the label, whatever its value' }],
  parameters: [
    userArgument,
    { kind: 'argument', name: 'keys', summary: 'keys of the labels', required: true, rest: true },
  ],
  input: () => z.strictObject({ user: username, keys: z.array(parsedBy(parseLabelKey)).min(1).max(maxLabels) }),
});
