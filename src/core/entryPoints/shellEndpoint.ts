/** core's end of a shell's needs besides calls: the room, the live list, completion, and the shell's memory. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { EndedCall, Welcome } from '../../domain/events/notice.ts';
import { notify } from '../../protocol/connection.ts';
import { feedSwitch, messages, roomEntry, roomExit, settingsChange, typedLine } from '../../protocol/messages.ts';
import type { ServiceContext } from '../../service/context.ts';
import type { ContainerFeed } from '../../service/shells/feed.ts';
import type { FrontRestarts } from '../processes/frontRestarts.ts';
import type { Places } from '../turns/places.ts';
import { answer, checked, serveCandidates } from './candidatesEndpoint.ts';
import type { LoginEndpoint } from './loginEndpoint.ts';
import type { ShellMemory } from '../../service/shells/shellMemory.ts';

export interface ShellEndpointOptions {
  readonly memory: ShellMemory;
  readonly feed: ContainerFeed;
  readonly service: ServiceContext;
  readonly frontRestarts: FrontRestarts;
  readonly logins: LoginEndpoint;
  /** Shared by all connections. */
  readonly places: Places;
  /** Returns sentences for this person. */
  readonly notes: (actor: Actor) => readonly string[];
  /**
   * Returns the calls that ended since the last visit, or null for a first one, according to the journal, the newest
   * last.
   */
  readonly endedSince: (actor: Actor, since: string | null) => Promise<readonly EndedCall[]>;
}

interface OpenShell {
  readonly login: string;
  readonly actor: Actor;
  readonly giveBackPlace: () => void;
  /** Ends the subscription that keeps CPU measurements running for the sparklines. */
  readonly unwatch: () => void;
  unfeed: (() => void) | undefined;
}

export function serveShells(connection: MessageConnection, options: ShellEndpointOptions): void {
  const { memory, feed, service, frontRestarts, logins, places } = options;
  const { room } = service;
  const shells = new Map<string, OpenShell>();
  /** Ids of shells that are being opened, so that no other shell gets one of them. */
  const entering = new Set<string>();

  const leave = (shell: string): void => {
    entering.delete(shell);
    const open = shells.get(shell);
    if (open === undefined) return;
    shells.delete(shell);
    open.giveBackPlace();
    open.unfeed?.();
    open.unwatch();
    logins.countShells(open.login, -1);
    room.leave(shell);
    memory.left(open.actor, service.now());
  };

  const enter = async (shell: string, login: string, giveBackPlace: () => void): Promise<Welcome> => {
    const actor = logins.identify(login);
    const { lines, leftAt, settings } = memory.of(actor);
    let ended: readonly EndedCall[];
    let isWanted: boolean;
    entering.add(shell);
    try {
      ended = await options.endedSince(actor, leftAt);
    } finally {
      // False if it has left meanwhile.
      isWanted = entering.delete(shell);
    }
    if (!isWanted) throw new Failure('cancelled', { what: 'the shell', why: 'it was closed while it opened' });
    // The login may have ended meanwhile.
    logins.identify(login);
    room.enter(shell, actor, (notice) => notify(connection, messages.notice, { shell, notice }));
    logins.countShells(login, 1);
    shells.set(shell, { login, actor, giveBackPlace, unwatch: feed.subscribe(() => undefined), unfeed: undefined });
    const notes = options.notes(actor);
    return { ...room.welcome(actor), ended, restarted: frontRestarts.next(actor), notes, lines, settings };
  };

  connection.onRequest(messages.enter, (raw) =>
    answer(async (): Promise<Welcome> => {
      const { shell, login } = checked(roomEntry, raw);
      const actor = logins.identify(login);
      if (shells.has(shell) || entering.has(shell))
        throw new Failure('usage', { what: 'the shell', why: 'its id is taken' });
      const giveBackPlace = places.take(actor);
      try {
        return await enter(shell, login, giveBackPlace);
      } catch (error) {
        giveBackPlace();
        throw error;
      }
    }),
  );
  connection.onNotification(messages.leave, (raw) => {
    const parsed = roomExit.safeParse(raw);
    if (parsed.success) leave(parsed.data.shell);
  });
  connection.onRequest(messages.feed, (raw) =>
    answer((): Promise<true> => {
      const { shell, open } = checked(feedSwitch, raw);
      const subscriber = shells.get(shell);
      if (subscriber === undefined)
        throw new Failure('usage', { what: 'the live list', why: 'this shell is not open' });
      subscriber.unfeed?.();
      subscriber.unfeed = undefined;
      if (!open) return Promise.resolve(true);
      // Owners, who may not list all containers, follow their own.
      const sees = (user: string): boolean =>
        subscriber.actor.entryPoint !== 'self' || subscriber.actor.owns?.includes(user) === true;
      subscriber.unfeed = feed.subscribe((update) => {
        const visible = {
          ...update,
          changed: update.changed.filter(({ user }) => sees(user)),
          removed: update.removed.filter(sees),
        };
        notify(connection, messages.notice, { shell, notice: { type: 'containers', feed: visible } });
      });
      return Promise.resolve(true);
    }),
  );
  serveCandidates(connection, service, logins);
  connection.onNotification(messages.typed, (raw) => {
    const parsed = typedLine.safeParse(raw);
    if (parsed.success) memory.remember(logins.identify(parsed.data.login), parsed.data.line);
  });
  connection.onRequest(messages.settings, (raw) =>
    answer((): Promise<true> => {
      const { login, settings } = checked(settingsChange, raw);
      memory.set(logins.identify(login), settings);
      return Promise.resolve(true);
    }),
  );
  // A shell leaves the room as soon as its login is over.
  logins.onEnd((login) => {
    for (const [shell, open] of [...shells]) if (open.login === login) leave(shell);
  });
}
