import type { Block } from '../../../catalogue/declaration/view.ts';
import type { Binding } from './bindings.ts';
import { commandOf } from '../../../catalogue/commandOf.ts';

/** Returns the help of the live list, with commands for `user`. */
export function helpBlocks(bindings: readonly Binding[], user = 'USER'): Block[] {
  const listed = bindings.filter(({ places }) => places.includes('list') || places.includes('details'));
  return [
    {
      kind: 'fields',
      title: 'Keys and the commands they run',
      fields: listed.map(
        ({ shown, says, verb, action }) =>
          [shown, verb === undefined || action === 'copy' ? says : `${commandOf(verb, { user })}: ${says}`] as const,
      ),
    },
    {
      kind: 'text',
      tone: 'quiet',
      text: 'If containers are marked, start, stop, restart, resize and delete act on all of them. The other keys act on the selected one. Start, stop, restart and snapshot ask first: Enter or y does it, half a second after the question came; any other key cancels. For several containers the verb and their number are to be typed.',
    },
  ];
}
