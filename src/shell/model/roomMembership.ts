/**
 * A shell's membership of the room. Entering returns the user's settings, which decide between screen and screen-reader
 * mode. Notices that arrive before that UI listens are buffered.
 */
import { randomUUID } from 'node:crypto';
import type { Actor } from '../../domain/access/actor.ts';
import type { Notice, Welcome } from '../../domain/events/notice.ts';
import type { ShellClient } from '../../protocol/shellClient.ts';

export interface RoomMembership {
  readonly shellId: string;
  readonly welcome: Welcome;
  /** Delivers the buffered notices and all later ones. Called once. */
  listen(listener: (notice: Notice) => void): void;
  leave(): void;
}

/** Enters the room. Rejects with a Failure. */
export async function enterRoom(shells: ShellClient, actor: Actor): Promise<RoomMembership> {
  const shellId = randomUUID();
  const early: Notice[] = [];
  let deliver = (notice: Notice): void => void early.push(notice);
  const welcome = await shells.enter(shellId, actor, (notice) => deliver(notice));
  return {
    shellId,
    welcome,
    listen(listener) {
      deliver = listener;
      for (const notice of early.splice(0)) listener(notice);
    },
    leave: () => shells.leave(shellId),
  };
}
