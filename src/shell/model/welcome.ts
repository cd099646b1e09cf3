/** What is said first. */
import type { Actor } from '../../domain/access/actor.ts';
import type { Greeting } from '../../protocol/messages.ts';
import type { Item } from '../items/item.ts';

/** `brief`: for whoever has given one line, and wants its answer. That a host is simulated is always said. */
export function welcome(actor: Actor, { version, host }: Greeting, brief: boolean): Item[] {
  const who =
    actor.entryPoint === 'self' ? `${actor.name}, this is your container.` : `You are ${actor.name} (${actor.role}).`;
  return [
    ...(host.simulated
      ? [
          {
            kind: 'blocks',
            blocks: [{ kind: 'text', tone: 'warn', text: `SIMULATED HOST (${host.why}): nothing here is real.` }],
          } as const,
        ]
      : []),
    ...(brief
      ? []
      : [
          {
            kind: 'note',
            text: `containarium ${version}. ${who} "help" shows what you can do; Tab completes.`,
          } as const,
        ]),
  ];
}
