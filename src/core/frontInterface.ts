/** The SSH server, as core sees it: what the front needs to start, and the process that core keeps running. */
import type { Logger } from 'pino';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { FrontRestart } from '../domain/events/notice.ts';
import { Failure } from '../domain/failure.ts';
import { lazily } from '../domain/lazily.ts';
import { frontStart, messages, type FrontStart } from '../protocol/messages.ts';
import type { Listener } from './processes/listener.ts';
import { frontKind, type ProcessStarter } from './processes/processStarter.ts';
import { WatchedProcess } from './processes/watchedProcess.ts';

export interface FrontInterfaceOptions {
  readonly starter: ProcessStarter;
  readonly listener: Listener;
  readonly log: Logger;
  /** Resolves when core is ready to serve a front, which loads its code meanwhile. */
  readonly ready: Promise<ReadyCore>;
  readonly onReplaced: (why: FrontRestart['why']) => void;
}

/** What core does for a front. */
export interface ReadyCore {
  /** Returns what a front needs to start. */
  readonly start: () => FrontStart;
  /** Registers the handlers for the front's requests. */
  readonly serve: (connection: MessageConnection) => void;
}

/** Starts the front. `serving` rejects with `settings` if the front ends before it serves. */
export function startFront({ ready, ...options }: FrontInterfaceOptions): {
  readonly process: WatchedProcess;
  readonly serving: Promise<void>;
} {
  const { promise: serving, resolve, reject } = Promise.withResolvers<undefined>();
  const process = new WatchedProcess({
    ...options,
    kind: frontKind,
    serve: (connection) => {
      const served = lazily(async () => {
        const { start, serve } = await ready;
        serve(connection);
        return frontStart.parse(start());
      });
      connection.onRequest(messages.frontStart, served);
    },
    onServing: () => resolve(undefined),
    onFatal: (why) =>
      reject(new Failure('settings', { what: 'the SSH server', why, next: 'for details set CONTAINARIUM_LOG=debug' })),
  });
  return { process, serving };
}
