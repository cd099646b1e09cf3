import type { Actor } from '../../domain/access/actor.ts';
import type { Greeting } from '../../protocol/messages.ts';
import type { Item } from '../items/item.ts';

/** Returns what the shell prints first. If `brief`, for a shell that runs one line, only a simulated host is noted. */
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
