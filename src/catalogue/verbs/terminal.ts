/** Into a container: its shell on the caller's terminal, and what its console says. */
import { z } from 'zod';
import type { ConsoleLog, ShellEnd } from '../../domain/results/terminal.ts';
import { username } from '../declaration/schema.ts';
import { defineVerb } from '../declaration/verb.ts';
import { changeEnds, noContainer, readEnds, userArgument } from './shared.ts';

export const shell = defineVerb({
  name: 'shell',
  summary: 'Open a shell in a container, on your terminal',
  description: [
    'As the user whose container it is, or as root with --root. It ends as any shell does (exit, Ctrl-D), with its own exit status. When the connection is lost, what runs in it is hung up.',
    'Needs a terminal: over ssh that is ssh -t.',
  ],
  examples: [
    { line: 'shell alice', says: 'as alice, in her home (ssh -t)' },
    { line: 'shell alice --root', says: 'as root of the container' },
  ],
  ends: {
    usage: 'there is no terminal',
    notFound: noContainer,
    conflict: 'the container does not run',
    timeout: changeEnds.timeout,
  },
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  handsOverTerminal: true,
  target: 'user',
  parameters: [userArgument, { kind: 'option', name: 'root', long: ['root'], summary: 'as root instead of the user' }],
  input: z.strictObject({ user: username, root: z.boolean().optional() }),
  exitStatus: ({ exitStatus }: ShellEnd) => exitStatus,
  view: ({ container, exitStatus }: ShellEnd) => [
    { kind: 'text', tone: 'quiet', text: `The shell in ${container} ended with status ${exitStatus}` },
  ],
});

export const logs = defineVerb({
  name: 'logs',
  summary: "Show a container's console log",
  description: [
    'What the container wrote to its console: the messages of its start and end. With --follow it goes on until it is interrupted.',
  ],
  examples: [
    { line: 'logs alice', says: 'what there is' },
    { line: 'logs alice --follow', says: 'and what comes; Ctrl-C ends it' },
    { line: 'logs alice --lines 20', says: 'the last lines' },
  ],
  ends: { ...readEnds, notFound: noContainer },
  access: { manage: 'viewer', self: true },
  changes: false,
  danger: 'none',
  target: 'user',
  parameters: [
    { ...userArgument, required: 'manage', summary: 'the user whose container it is; over self@ your own' },
    { kind: 'option', name: 'follow', long: ['follow'], short: 'f', summary: 'go on with what comes' },
    {
      kind: 'option',
      name: 'lines',
      long: ['lines'],
      short: 'n',
      value: 'count',
      summary: 'only the last so many lines',
    },
  ],
  input: z.strictObject({
    user: username.optional(),
    follow: z.boolean().optional(),
    lines: z
      .union([
        z.number(),
        z
          .string()
          .regex(/^\d{1,6}$/, 'give a number of lines')
          .transform(Number),
      ])
      .optional(),
  }),
  view: ({ text }: ConsoleLog) =>
    text === ''
      ? [{ kind: 'text', tone: 'quiet', text: 'The console log is empty' }]
      : [{ kind: 'verbatim', text: text.replace(/\n$/, '') }],
});
