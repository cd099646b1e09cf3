/** What is said first. */
import type { Actor } from '../../domain/actor.ts';
import type { Greeting } from '../../protocol/messages.ts';
import type { Item } from '../items/item.ts';

export function welcome(actor: Actor, { version, host }: Greeting): Item[] {
  const who = actor.door === 'self' ? `${actor.name}, this is your container.` : `You are ${actor.name} (${actor.role}).`;
  return [
    ...(host.simulated
      ? [{ kind: 'blocks', blocks: [{ kind: 'text', tone: 'warn', text: `SIMULATED HOST (${host.why}): nothing here is real.` }] } as const]
      : []),
    { kind: 'note', text: `containarium ${version}. ${who} "help" shows what you can do; Tab completes.` },
  ];
}
