/** The shell on a full terminal. Ink draws the live part; the transcript is written above it once. */
import type { HandedOverTerminal } from '../../domain/terminal.ts';
import { render, type Instance } from 'ink';
import { usageLine } from '../../catalogue/help.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { verbOf } from '../../catalogue/catalogue.ts';
import { Composer } from '../composer/composer.ts';
import { pasteTooLong } from '../composer/pastedLines.ts';
import { History } from '../composer/history.ts';
import type { Keyed } from '../composer/keys.ts';
import { FormDialog } from '../forms/formDialog.ts';
import type { Item } from '../items/item.ts';
import { renderItem } from '../items/renderItem.tsx';
import type { ShellModel } from '../model/shellModel.ts';
import { everything, type ListRequest } from '../model/listRequest.ts';
import type { ShellUi } from '../model/shellUi.ts';
import { suspendedInTurn, Turns } from '../model/turns.ts';
import type { Confirmation, FormRequest } from '../model/ui.ts';
import type { InkStreams, Terminal } from '../terminal/terminal.ts';
import { App, type AppHandles } from './App.tsx';
import { ConfirmDialog } from './confirmDialog.ts';
import { ScreenStore, type Dialog, type ScreenState } from './store.ts';

export interface ScreenOptions {
  readonly terminal: Terminal;
  readonly actor: Actor;
  /** What the status line says about the host: `Incus`, or `SIMULATED HOST`. */
  readonly place: string;
  /** Opens the live list above this screen. */
  readonly openView: (terminal: Terminal, shell: ShellModel, request: ListRequest) => Promise<void>;
  /** Ends the shell with an exit code. */
  readonly end: (code: number) => void;
}

const maxFramesPerSecond = 60;

export class Screen implements ShellUi {
  readonly plain = false;
  readonly #options: ScreenOptions;
  readonly #store: ScreenStore;
  readonly #streams: InkStreams;
  #shell: ShellModel | undefined;
  #composer: Composer;
  #history = new History([]);
  #dialog: Dialog | undefined;
  readonly #turns = new Turns();
  #ink: Instance | undefined;
  #app: AppHandles | undefined;
  readonly #mounted = Promise.withResolvers<AppHandles>();
  /** Text to write once this screen owns the terminal. */
  #pending = '';
  #flushing = false;
  #suspended = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#streams = options.terminal.open(() => this.print({ kind: 'failure', failure: pasteTooLong.toData() }));
    this.#composer = this.#makeComposer();
    this.#store = new ScreenStore(this.#state());
  }

  get isAsking(): boolean {
    return this.#turns.isTaken;
  }

  /** Starts drawing and reading keys. */
  show(shell: ShellModel, lines: readonly string[]): void {
    this.#shell = shell;
    this.#history = new History(lines);
    this.#composer = this.#makeComposer();
    this.changed();
    this.#flushDirectly();
    const { stdin, stdout } = this.#streams;
    this.#ink = render(
      <App
        store={this.#store}
        keyed={() => this.#keyed()}
        onMount={(handles) => {
          this.#app = handles;
          this.#mounted.resolve(handles);
          this.#flush();
        }}
        onError={(error) => this.print({ kind: 'failure', failure: Failure.from(error).toData() })}
      />,
      {
        stdin: stdin as unknown as NodeJS.ReadStream,
        stdout: stdout as unknown as NodeJS.WriteStream,
        stderr: stdout as unknown as NodeJS.WriteStream,
        // Ink would derive these from the server's own environment and console.
        interactive: true,
        patchConsole: false,
        exitOnCtrlC: false,
        incrementalRendering: true,
        maxFps: maxFramesPerSecond,
      },
    );
    // A component that throws ends only this shell.
    this.#ink.waitUntilExit().catch((error: unknown) => {
      this.#options.terminal.write(`\r\nError: the shell failed: ${Failure.from(error).why} (internal)\r\n`);
      this.#options.end(1);
    });
  }

  ready(): void {
    // The composer is visible from the start; output appears above it.
  }

  /** Removes the live part from the screen and ends. */
  close(): void {
    this.#turns.close();
    if (this.#suspended || this.#app === undefined) this.#flushDirectly();
    else {
      this.#flush();
      // Suspending removes the live part at once. After Ink's clear() it would be drawn once more if it has a cursor.
      void this.#app.suspend();
    }
    this.#suspended = true;
    this.#ink?.unmount();
    this.#ink = undefined;
    this.#streams.close();
  }

  print(item: Item): void {
    this.#pending += renderItem(item, this.width());
    if (this.#flushing) return;
    this.#flushing = true;
    void this.#flushSoon();
  }

  changed(): void {
    this.#store.set(this.#state());
  }

  confirm(confirmation: Confirmation): Promise<boolean> {
    return this.#ask((done) => new ConfirmDialog(confirmation, () => this.changed(), done));
  }

  form({ verb, given, known, plan }: FormRequest): Promise<Readonly<Record<string, unknown>> | undefined> {
    return this.#ask(
      (done) =>
        new FormDialog({
          verb,
          given,
          known,
          plan,
          entryPoint: this.#options.actor.entryPoint,
          changed: () => this.changed(),
          done,
        }),
    );
  }

  get lines(): readonly string[] {
    return this.#history.lines;
  }

  remember(line: string): void {
    this.#history.add(line);
  }

  async view(request: ListRequest): Promise<void> {
    const shell = this.#shell;
    if (shell === undefined) return;
    const { terminal, openView } = this.#options;
    const resume = await suspendedInTurn(
      this.#turns,
      () => this.#suspend(),
      (ended) => ended,
    );
    await openView(terminal, shell, request).finally(resume);
  }

  handOver(): Promise<HandedOverTerminal> {
    const { terminal } = this.#options;
    return suspendedInTurn(
      this.#turns,
      () => this.#suspend(),
      (resume) => terminal.handOver(resume),
    );
  }

  copy(text: string): void {
    this.#options.terminal.write(text);
  }

  clear(): void {
    // Clears the screen but not the scrollback, which belongs to the terminal. Text that waits is shown on it.
    if (!this.#suspended) this.#app?.write('\x1b[2J\x1b[H');
  }

  width(): number {
    return this.#options.terminal.columns;
  }

  #makeComposer(): Composer {
    return new Composer(this.#history, {
      changed: () => this.changed(),
      submit: (line) => this.#shell?.submit(line, this.#options.terminal.typedAtMs),
      submitPasted: (lines) => this.#shell?.runInOrder(lines),
      refuse: (failure) => this.print({ kind: 'failure', failure: failure.toData() }),
      leave: () => this.#shell?.leave(),
      leaveAtOnce: () => this.#shell?.leaveAtOnce(),
      hasInputEnded: () => this.#options.terminal.hasInputEnded,
      stop: () => this.#shell?.interrupt() ?? false,
      clearScreen: () => this.clear(),
      complete: (text, cursor) =>
        this.#shell?.complete(text, cursor) ?? Promise.resolve({ from: 0, candidates: [], after: '' }),
      openView: () => this.#openView(),
    });
  }

  #keyed(): Keyed {
    return this.#dialog ?? this.#composer;
  }

  #ask<T>(make: (done: (answer: T) => void) => Dialog): Promise<T> {
    return new Promise((resolve) => {
      this.#turns.take((end) => {
        this.#dialog = make((answer) => {
          this.#dialog = undefined;
          end();
          this.changed();
          resolve(answer);
        });
        this.changed();
      });
    });
  }

  /** Opens the live list for a key, which means nothing while it is open already. */
  #openView(): void {
    if (!this.#turns.isTaken) void this.view(everything);
  }

  #state(): ScreenState {
    const { actor, place } = this.#options;
    const { line } = this.#composer.state;
    const shell = this.#shell;
    const words = line.text.trim().replace(/^\//, '').split(/\s+/, 2);
    const verb = shell === undefined || line.text === '' ? undefined : verbOf(words, shell.verbs);
    const others =
      shell?.present
        .filter(({ name, entryPoint }) => entryPoint !== 'self' && name !== actor.name)
        .map(({ name }) => name) ?? [];
    const names = shell?.crowded === true ? 'many (see who)' : [...new Set(others)].join(', ');
    const here = actor.entryPoint === 'self' || names === '' ? '' : ` · also here: ${names}`;
    return {
      composer: this.#composer.state,
      dialog: this.#dialog,
      liveCalls: shell?.liveCalls.all ?? [],
      hint: verb === undefined ? undefined : usageLine(verb, actor.entryPoint),
      status: `${actor.name} · ${place}${here} · help, Tab, Ctrl-O`,
    };
  }

  /** Writes pending text once the live part has been redrawn, so that no text shows in both at the same time. */
  async #flushSoon(): Promise<void> {
    await this.#ink?.waitUntilRenderFlush();
    this.#flushing = false;
    this.#flush();
  }

  /** Writes pending text above the live part, if this screen owns the terminal. */
  #flush(): void {
    if (this.#app !== undefined && !this.#suspended) this.#flushTo(this.#app);
  }

  #flushTo(app: AppHandles): void {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '') app.write(text);
  }

  /** Writes pending text while there is no live part on the screen. */
  #flushDirectly(): void {
    const text = this.#pending;
    this.#pending = '';
    this.#streams.stdout.write(text);
    this.#streams.stdout.flush();
  }

  async #suspend(): Promise<() => Promise<void>> {
    this.#suspended = true;
    // A line from the command line runs before the app has mounted.
    const app = this.#app ?? (await this.#mounted.promise);
    this.#flushTo(app);
    const resume = await app.suspend();
    return async () => {
      this.#suspended = false;
      // Text printed meanwhile is written first; Ink draws the live part below it.
      this.#flushDirectly();
      await resume();
      this.changed();
    };
  }
}
