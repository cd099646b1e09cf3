/**
 * Entering the room. What a person chose for their shells is only known then, and decides what shows the conversation;
 * so what happens in the room meanwhile is kept until somebody listens.
 */
import { randomUUID } from 'node:crypto';
import type { Actor } from '../../domain/access/actor.ts';
import type { Notice, Welcome } from '../../domain/events/notice.ts';
import type { ShellClient } from '../../protocol/shellClient.ts';

export interface Entrance {
  readonly shell: string;
  readonly welcome: Welcome;
  /** Called once: hands over what has happened since, and then what happens. */
  listen(listener: (notice: Notice) => void): void;
  leave(): void;
}

/** Rejects with a Failure. */
export async function enterRoom(shells: ShellClient, actor: Actor): Promise<Entrance> {
  const shell = randomUUID();
  const early: Notice[] = [];
  let tell = (notice: Notice): void => void early.push(notice);
  const welcome = await shells.enter(shell, actor, (notice) => tell(notice));
  return {
    shell,
    welcome,
    listen(listener) {
      tell = listener;
      for (const notice of early.splice(0)) listener(notice);
    },
    leave: () => shells.leave(shell),
  };
}
