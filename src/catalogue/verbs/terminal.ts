/** The verbs `shell` and `logs`. */
import * as z from 'zod';
import type { ConsoleLog, ShellEnd } from '../../domain/results/terminal.ts';
import { username, wholeNumber } from '../declaration/schema.ts';
import { defineVerb } from '../declaration/verb.ts';
import { changeEnds, noContainer, readEnds, userArgument } from './shared.ts';

export const shell = defineVerb({
  name: 'shell',
  summary: 'Open a shell in a container, on your terminal',
  description: [
    'The shell runs as the owner of the container, or as root with --root. Leave it as usual, with exit or Ctrl-D; its exit status becomes that of the command. If the connection is lost, the programs in the shell are hung up.',
    'A terminal is required: over ssh, use ssh -t.',
  ],
  examples: [
    { line: 'shell alice', says: 'as alice, in her home directory (requires ssh -t)' },
    { line: 'shell alice --root', says: 'as root in the container' },
  ],
  ends: {
    usage: 'there is no terminal',
    notFound: noContainer,
    conflict: 'the container is not running',
    timeout: changeEnds.timeout,
  },
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  handsOverTerminal: true,
  target: 'user',
  parameters: [userArgument, { kind: 'option', name: 'root', long: ['root'], summary: 'run the shell as root' }],
  input: () => z.strictObject({ user: username, root: z.boolean().optional() }),
  exitStatus: ({ exitStatus }: ShellEnd) => exitStatus,
  view: ({ container, exitStatus }: ShellEnd) => [
    { kind: 'text', tone: 'quiet', text: `The shell in ${container} ended with status ${exitStatus}` },
  ],
});

export const logs = defineVerb({
  name: 'logs',
  summary: "Show a container's console log",
  description: [
    'The console log has the messages of the startup and shutdown of the container. With --follow, the command prints new output until it is interrupted.',
  ],
  examples: [
    { line: 'logs alice', says: 'the whole log' },
    { line: 'logs alice --follow', says: 'the log and all new output; Ctrl-C stops it' },
    { line: 'logs alice --lines 20', says: 'the last 20 lines' },
  ],
  ends: { ...readEnds, notFound: noContainer },
  streamSwitch: 'follow',
  access: { manage: 'viewer', self: true },
  changes: false,
  danger: 'none',
  target: 'user',
  parameters: [
    { ...userArgument, required: 'manage', summary: 'user who owns the container (at self@: you by default)' },
    { kind: 'option', name: 'follow', long: ['follow'], short: 'f', summary: 'keep printing new output' },
    {
      kind: 'option',
      name: 'lines',
      long: ['lines'],
      short: 'n',
      value: 'count',
      summary: 'print only this many lines from the end',
    },
  ],
  input: () =>
    z.strictObject({
      user: username.optional(),
      follow: z.boolean().optional(),
      lines: wholeNumber(1, 999_999).optional(),
    }),
  view: ({ text }: ConsoleLog) =>
    text === ''
      ? [{ kind: 'text', tone: 'quiet', text: 'The console log is empty' }]
      : [{ kind: 'verbatim', text: text.replace(/\n$/, '') }],
  rows: ({ text }) => ({
    columns: ['line'],
    rows:
      text === ''
        ? []
        : text
            .replace(/\r?\n$/, '')
            .split(/\r?\n/)
            .map((line) => [line]),
  }),
});
