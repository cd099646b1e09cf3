/** The live list of containers. It is on the alternate screen, so the shell stays unchanged behind it. */
import { render } from 'ink';
import { Failure } from '../../domain/failure.ts';
import type { ShellModel } from '../model/shellModel.ts';
import { suspendedInTurn, Turns } from '../model/turns.ts';
import { narrowed, type ListRequest } from '../model/listRequest.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { ListController } from './control/listController.ts';
import { bodyRows } from './layout/layout.ts';
import { ListApp } from './ListApp.tsx';

const maxFramesPerSecond = 30;

/** Opens the live list. Resolves when a key or the end of the shell closes it. Never rejects. */
export async function openListView(terminal: Terminal, shell: ShellModel, request: ListRequest): Promise<void> {
  const { shells, ui, core } = shell.options;
  const { shellId, liveCalls, over } = shell;
  const closing = Promise.withResolvers<undefined>();
  const close = (): void => closing.resolve(undefined);
  const controller = new ListController({
    shell,
    page: () => bodyRows(terminal.rows, undefined),
    width: () => terminal.columns - 1,
    close,
  });
  const streams = terminal.open();
  const turns = new Turns();
  // Registered before Ink's own listeners, which draw.
  streams.stdout.on('resize', () => controller.resized());
  const unfollow = liveCalls.follow(() => controller.changed());
  if (request.sort !== undefined) controller.model.sortBy(request.sort);
  shell.feedListener = (update) => controller.apply(narrowed(request, update));

  const ink = render(
    <ListApp
      controller={controller}
      liveCalls={() => liveCalls.all}
      hostNote={core.greeting.host.simulated ? 'SIMULATED' : ''}
      onMount={(suspend) => {
        const resumable = async (): Promise<() => unknown> => {
          const resume = await suspend();
          return () => {
            // Ink draws from the cursor, which the program may have left anywhere in its row.
            streams.stdout.write('\r');
            return resume();
          };
        };
        shell.terminalOwner = () => suspendedInTurn(turns, resumable, (resume) => terminal.handOver(resume));
      }}
    />,
    {
      stdin: streams.stdin as unknown as NodeJS.ReadStream,
      stdout: streams.stdout as unknown as NodeJS.WriteStream,
      stderr: streams.stdout as unknown as NodeJS.WriteStream,
      // Ink would derive these from the server's own environment and console.
      interactive: true,
      patchConsole: false,
      exitOnCtrlC: false,
      alternateScreen: true,
      incrementalRendering: true,
      maxFps: maxFramesPerSecond,
    },
  );
  // Synchronous, so that the terminal is free when ending the shell returns.
  const leave = (): void => {
    turns.close();
    ink.clear();
    ink.unmount();
    streams.close();
  };
  const ended = (): void => {
    leave();
    close();
  };
  over.addEventListener('abort', ended, { once: true });
  // A component that throws ends only this view.
  ink.waitUntilExit().catch((error: unknown) => {
    ui.print({ kind: 'failure', failure: Failure.from(error).toData() });
    close();
  });
  shell.warnInView = (text) => controller.warn(text);
  shells.feed(shellId, true).catch((error: unknown) => controller.setStale(Failure.from(error)));

  await closing.promise;
  over.removeEventListener('abort', ended);
  shell.feedListener = undefined;
  shell.terminalOwner = undefined;
  shell.warnInView = undefined;
  unfollow();
  controller.end();
  if (over.aborted) return;
  leave();
  await shells.feed(shellId, false).catch(() => undefined);
}
