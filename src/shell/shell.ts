/** A person's shell on a terminal: welcomes them, and lasts until they leave or their connection does. */
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import type { CoreClient } from '../protocol/client.ts';
import type { ShellClient } from '../protocol/shellClient.ts';
import { PlainUi, type PlainReason } from './plain/plainUi.ts';
import { ShellModel } from './model/shellModel.ts';
import { enterRoom } from './model/entrance.ts';
import type { ShellUi } from './model/shellUi.ts';
import { welcome } from './model/welcome.ts';
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
  /** Told of everything that a program in a container shows. */
  readonly used?: () => void;
  /** Why it has to be lines of text, whatever the person's setting is. */
  readonly plain?: Exclude<PlainReason, 'setting'>;
}

export interface Shell {
  /** Resolves with the exit code when it is over and the terminal is as it was found. */
  readonly ended: Promise<number>;
  /** Whether something runs in it. */
  readonly busy: boolean;
  /** Says something that has to be read now. */
  warn(text: string): void;
  /** Ends it from outside, saying why. */
  end(reason: string): void;
}

export function openShell(options: ShellOptions): Shell {
  const { port, actor, core, shells, prefix, reachedAt } = options;
  const terminal = new Terminal(port, options.used);
  let stop: (code: number) => void = () => undefined;
  const stopped = new Promise<number>((resolve) => (stop = resolve));
  void terminal.closed.then(() => stop(255));
  let ui: ShellUi | undefined;
  let shellModel: ShellModel | undefined;
  let over = false;

  const begin = async (): Promise<void> => {
    try {
      const entrance = await enterRoom(shells, actor);
      if (over) {
        entrance.leave();
        return;
      }
      const plain = options.plain ?? (entrance.welcome.settings.plain ? 'setting' : undefined);
      ui = showing(terminal, options, plain, stop);
      shellModel = new ShellModel({ actor, core, shells, ui, entrance, prefix, reachedAt, leave: () => stop(0) });
      for (const item of welcome(actor, core.greeting, options.line !== undefined)) ui.print(item);
      ui.show(shellModel, shellModel.begin());
      if (options.line !== undefined) {
        stop(await shellModel.run(options.line));
        return;
      }
      if (actor.entryPoint === 'self') await shellModel.showCard();
      ui.ready();
    } catch (error) {
      terminal.write(`Error: ${Failure.from(error).message}\r\n`);
      stop(1);
    }
  };
  void begin();

  return {
    ended: stopped.then(async (code) => {
      over = true;
      shellModel?.end();
      ui?.close();
      await terminal.restore();
      return code;
    }),
    get busy() {
      return shellModel?.busy ?? false;
    },
    warn(text) {
      shellModel?.warn(text);
      terminal.warnProgram(text);
    },
    end(reason) {
      const text = `The session ends: ${reason}`;
      if (ui === undefined) terminal.write(`${text}\r\n`);
      else ui.print({ kind: 'note', text });
      // After what is printed has been written.
      setImmediate(() => stop(1));
    },
  };
}

/** What shows the conversation: a screen, or lines of text where the terminal or the person wants nothing else. */
function showing(
  terminal: Terminal,
  { actor, core }: ShellOptions,
  plain: PlainReason | undefined,
  end: (code: number) => void,
): ShellUi {
  if (plain !== undefined) return new PlainUi({ terminal, actor, reason: plain, end });
  const { host } = core.greeting;
  return new Screen({
    terminal,
    actor,
    place: host.simulated ? 'SIMULATED HOST' : 'Incus',
    openView: openListView,
    end,
  });
}
