/** A person's shell on a terminal: welcomes them, and lasts until they leave or their connection does. */
import type { Actor } from '../domain/actor.ts';
import { Failure } from '../domain/failure.ts';
import type { CoreClient } from '../protocol/client.ts';
import type { ShellClient } from '../protocol/shellClient.ts';
import { Conversation } from './session/conversation.ts';
import { welcome } from './session/welcome.ts';
import { Screen } from './screen/screen.tsx';
import { openListView } from './views/listView.tsx';
import type { TerminalPort } from './terminal/port.ts';
import { Terminal } from './terminal/terminal.ts';

export interface ShellOptions {
  readonly port: TerminalPort;
  readonly actor: Actor;
  readonly core: CoreClient;
  readonly shells: ShellClient;
  /** What is typed before a verb outside the shell. */
  readonly prefix: string;
  /** The address of this server that the client reached. */
  readonly reachedAt: string;
  /** A line that is run as if it had been typed; the shell ends with it. */
  readonly line?: string;
}

export interface Shell {
  /** Resolves with the exit code when it is over and the terminal is as it was found. */
  readonly ended: Promise<number>;
  /** Ends it from outside, saying why. */
  end(reason: string): void;
}

export function openShell(options: ShellOptions): Shell {
  const { port, actor, core, shells, prefix, reachedAt } = options;
  const terminal = new Terminal(port);
  let stop: (code: number) => void = () => undefined;
  const stopped = new Promise<number>((resolve) => (stop = resolve));
  void terminal.closed.then(() => stop(255));

  const { host } = core.greeting;
  const screen = new Screen({
    terminal,
    actor,
    place: host.simulated ? 'SIMULATED HOST' : 'Incus',
    openView: openListView,
    end: (code) => stop(code),
  });
  const conversation = new Conversation({ actor, core, shells, ui: screen, prefix, reachedAt, leave: () => stop(0) });

  const begin = async (): Promise<void> => {
    try {
      for (const item of welcome(actor, core.greeting)) screen.print(item);
      screen.show(conversation, await conversation.begin());
      if (options.line !== undefined) {
        stop(await conversation.run(options.line));
      } else if (actor.door === 'self') {
        await conversation.showCard();
      }
    } catch (error) {
      terminal.write(`Error: ${Failure.from(error).message}\r\n`);
      stop(1);
    }
  };
  void begin();

  return {
    ended: stopped.then(async (code) => {
      conversation.end();
      screen.close();
      await terminal.restore();
      return code;
    }),
    end(reason) {
      screen.print({ kind: 'note', text: `The session ends: ${reason}` });
      // After what is printed has been written.
      setImmediate(() => stop(1));
    },
  };
}
