/** Opens the chat shell on a client's terminal. */
import { failureSentences } from '../catalogue/output/sentences.ts';
import { handsOverTerminal } from '../catalogue/wholeTerminal.ts';
import type { Actor } from '../domain/access/actor.ts';
import { exitCodes, Failure } from '../domain/failure.ts';
import type { CoreClient } from '../protocol/client.ts';
import type { ShellClient } from '../protocol/shellClient.ts';
import { PlainUi, type PlainReason } from './plain/plainUi.ts';
import { CurrentUi } from './model/currentUi.ts';
import { ShellModel } from './model/shellModel.ts';
import { enterRoom } from './model/roomMembership.ts';
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
  /** The address at which the client reached this server. */
  readonly reachedAt: string;
  /** A line to run as if it had been typed. The shell ends when it has run. */
  readonly line?: string;
  /** Called for all output of a program in a container that has the terminal. */
  readonly used?: () => void;
  /** Forces screen-reader mode, whatever the user's setting; the value says why. */
  readonly plain?: Exclude<PlainReason, 'setting'>;
}

export interface Shell {
  /** Resolves with the exit code once the shell has ended and the terminal is restored. */
  readonly ended: Promise<number>;
  /** Whether a call of this shell is running. A program in a container does not count. */
  readonly busy: boolean;
  /** Whether anything runs that the user began, or the shell is still opening. */
  readonly isWorking: boolean;
  /** Shows a warning at once, even over the live list or a program in a container. */
  warn(text: string): void;
  /** Ends the shell from outside, with a code, and shows the reason. */
  end(reason: string, code: number): void;
}

export function openShell(options: ShellOptions): Shell {
  const { port, actor, core, shells, reachedAt } = options;
  const terminal = new Terminal(port, options.used);
  if (options.line !== undefined && handsOverTerminal(options.line)) terminal.keepForProgram();
  let stop: (code: number) => void = () => undefined;
  const stopped = new Promise<number>((resolve) => (stop = resolve));
  void terminal.closed.then(() => stop(terminal.hasInputEnded ? exitCodes.cancelled : 255));
  let ui: CurrentUi | undefined;
  let model: ShellModel | undefined;
  let over = false;

  /** Exchanges the display at once. Resolves to false if the terminal allows no other. */
  const setPlain = async (plain: boolean): Promise<boolean> => {
    if (ui === undefined || model === undefined || ui.plain === plain) return true;
    if (options.plain === 'terminal') return false;
    // A question of a command that runs is on the display that it was asked on.
    await model.liveCalls.ownEnded();
    const { lines } = ui;
    ui.close();
    await terminal.restore();
    if (over) return true;
    ui.exchange(createUi(terminal, options, plain ? 'setting' : undefined, (code) => stop(code)));
    ui.show(model, lines);
    ui.ready();
    return true;
  };

  const begin = async (): Promise<void> => {
    try {
      const membership = await enterRoom(shells, actor);
      if (over) {
        membership.leave();
        return;
      }
      const plain = options.plain ?? (membership.welcome.settings.plain ? 'setting' : undefined);
      ui = new CurrentUi(createUi(terminal, options, plain, (code) => stop(code)));
      model = new ShellModel({
        actor,
        core,
        shells,
        ui,
        membership,
        reachedAt,
        leave: (code) => stop(code),
        hasInputEnded: () => terminal.hasInputEnded,
        setPlain,
        share: port,
      });
      for (const item of welcome(actor, core.greeting, options.line !== undefined)) ui.print(item);
      ui.show(model, model.begin());
      if (options.line !== undefined) {
        stop(await model.run(options.line));
        return;
      }
      if (actor.entryPoint === 'self') await model.showCard();
      ui.ready();
    } catch (error) {
      const failure = Failure.from(error);
      terminal.write(failureSentences(failure.toData()).replaceAll('\n', '\r\n'));
      stop(failure.exitCode);
    }
  };
  void begin();

  return {
    ended: stopped.then(async (code) => {
      over = true;
      model?.end();
      terminal.takeBack();
      ui?.close();
      await terminal.restore();
      return code;
    }),
    get busy() {
      return model?.busy ?? false;
    },
    get isWorking() {
      return !over && (model === undefined || model.liveCalls.hasOwn || (model.isWorking && ui?.isAsking !== true));
    },
    warn(text) {
      model?.warn(text);
      terminal.warnProgram(text);
    },
    end(reason, code) {
      const text = `The session ends: ${reason}`;
      if (ui === undefined) terminal.write(`${text}\r\n`);
      else ui.print({ kind: 'note', text });
      // After the printed text has been written.
      setImmediate(() => stop(code));
    },
  };
}

/** Creates the UI: lines of text in screen-reader mode, an Ink screen otherwise. */
function createUi(
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
