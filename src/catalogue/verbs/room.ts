/** The verbs about admins with open shells. */
import * as z from 'zod';
import type { RunningChange, Said, WhoIsHere } from '../../domain/results/room.ts';
import { plural } from '../../domain/text.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, ViewContext } from '../declaration/view.ts';

export const who = defineVerb({
  name: 'who',
  summary: 'Show who has a shell open, and which changes run',
  description: ['A change goes on when the connection of its caller is lost. Here it is found again.'],
  examples: [{ line: 'who', says: 'names, times and addresses, and what runs' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  view: (result: WhoIsHere, context) => [
    {
      kind: 'table',
      columns: [{ title: 'NAME' }, { title: 'ENTRY POINT' }, { title: 'SINCE' }, { title: 'FROM' }],
      rows: result.present.map(({ name, entryPoint, since, address }) => [
        name,
        entryPoint,
        showTime(since, context),
        address ?? '-',
      ]),
      empty: 'Nobody has a shell open',
    },
    ...(result.running.length === 0 ? [] : [runningTable(result.running, context)]),
  ],
  rows: (result) => ({
    columns: ['name', 'entry_point', 'since', 'address'],
    rows: result.present.map(({ name, entryPoint, since, address }) => [name, entryPoint, since, address]),
  }),
});

function runningTable(running: readonly RunningChange[], context: ViewContext): Block {
  return {
    kind: 'table',
    columns: [{ title: 'NAME' }, { title: 'RUNS' }, { title: 'SINCE' }],
    rows: running.map(({ name, verb, target, since }) => [
      name,
      target === null ? verb : `${verb} ${target}`,
      showTime(since, context),
    ]),
    empty: '',
  };
}

export const say = defineVerb({
  name: 'say',
  summary: 'Send a message to all admins who have a shell open',
  examples: [{ line: 'say the host restarts at 18:00', says: 'appears in all other shells' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [{ kind: 'argument', name: 'text', summary: 'message', required: true, rest: true }],
  input: () =>
    z.strictObject({
      text: z
        .union([z.string(), z.array(z.string()).transform((words) => words.join(' '))])
        .pipe(z.string().trim().min(1).max(500)),
    }),
  view: ({ heardBy }: Said) => [
    {
      kind: 'text',
      tone: 'quiet',
      text: heardBy === 0 ? 'Nobody else has a shell open' : `Sent to ${plural(heardBy, 'other shell')}`,
    },
  ],
});
