/** `who` and `say`. */
import type { Said, WhoIsHere } from '../domain/results/room.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

export function whoIsHere({ room }: ServiceContext, _input: object, { actor }: Call): Promise<WhoIsHere> {
  const running = room
    .running(actor)
    .map(({ actor: name, verb, target, startedAt }) => ({ name, verb, target, since: startedAt }));
  return Promise.resolve({ present: room.present(actor), running });
}

export function say(
  { room }: ServiceContext,
  { text }: { readonly text: string },
  { actor, shell }: Call,
): Promise<Said> {
  return Promise.resolve({ heardBy: room.say(actor, text, shell ?? null) });
}
