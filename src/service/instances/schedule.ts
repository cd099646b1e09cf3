/** The actor of what the server does by itself, in the journal and in the room. */
import type { Actor } from '../../domain/access/actor.ts';

export const schedule: Actor = { name: 'schedule', role: 'root', entryPoint: 'local' };
