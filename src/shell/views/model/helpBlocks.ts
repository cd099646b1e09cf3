/** The help of the live list, from its bindings. */
import type { Block } from '../../../catalogue/declaration/view.ts';
import type { Binding } from './bindings.ts';
import { commandLine } from './command.ts';

/** `user`: for whom the commands are written out. */
export function helpBlocks(bindings: readonly Binding[], user = 'USER'): Block[] {
  const listed = bindings.filter(({ places }) => places.includes('list') || places.includes('details'));
  return [
    {
      kind: 'fields',
      title: 'Keys, and the commands they stand for',
      fields: listed.map(
        ({ shown, says, verb, action }) =>
          [shown, verb === undefined || action === 'copy' ? says : `${commandLine(verb, { user })}: ${says}`] as const,
      ),
    },
    {
      kind: 'text',
      tone: 'quiet',
      text: 'Where containers are marked, start, stop, restart, resize and delete act on all of them; the other keys on the selected one.',
    },
  ];
}
