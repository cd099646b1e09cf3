/** The live list of containers, on the alternate screen: the conversation stays as it is behind it. */
import { render } from 'ink';
import { Failure } from '../../domain/failure.ts';
import type { ShellModel } from '../model/shellModel.ts';
import { narrowed, type ListRequest } from '../model/listRequest.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { ListController } from './control/controller.ts';
import { bodyRows } from './layout/layout.ts';
import { ListApp } from './ListApp.tsx';

/** Frames a second at most. */
const maxFramesPerSecond = 30;

/** Resolves when the view is closed, by a key or because the conversation is over; never rejects. */
export async function openListView(terminal: Terminal, shellModel: ShellModel, wish: ListRequest): Promise<void> {
  const { shells, ui, core } = shellModel.options;
  const { shell, liveCalls, over } = shellModel;
  const closing = Promise.withResolvers<undefined>();
  const close = (): void => closing.resolve(undefined);
  const controller = new ListController({
    shellModel,
    page: () => bodyRows(terminal.rows, undefined),
    width: () => terminal.columns - 1,
    close,
  });
  const streams = terminal.open();
  // Before Ink's own listeners, which draw.
  streams.stdout.on('resize', () => controller.resized());
  const unfollow = liveCalls.follow(() => controller.changed());
  if (wish.sort !== undefined) controller.model.sortBy(wish.sort);
  shellModel.feedListener = (update) => controller.apply(narrowed(wish, update));

  const ink = render(
    <ListApp
      controller={controller}
      liveCalls={() => liveCalls.all}
      hostNote={core.greeting.host.simulated ? 'SIMULATED' : ''}
      onMount={(suspend) => {
        shellModel.terminalOwner = async () => {
          const resume = await suspend();
          return terminal.handOver(() => {
            // The program may have left the cursor anywhere in its row, and a frame begins where the cursor is.
            streams.stdout.write('\r');
            return resume();
          });
        };
      }}
    />,
    {
      stdin: streams.stdin as unknown as NodeJS.ReadStream,
      stdout: streams.stdout as unknown as NodeJS.WriteStream,
      stderr: streams.stdout as unknown as NodeJS.WriteStream,
      // Ink looks at the server's own environment and console for these.
      interactive: true,
      patchConsole: false,
      exitOnCtrlC: false,
      alternateScreen: true,
      incrementalRendering: true,
      maxFps: maxFramesPerSecond,
    },
  );
  // Synchronous, so that whoever ends the conversation can count on the terminal being free.
  const leave = (): void => {
    ink.clear();
    ink.unmount();
    streams.close();
  };
  const ended = (): void => {
    leave();
    close();
  };
  over.addEventListener('abort', ended, { once: true });
  // A component that throws ends the view alone.
  ink.waitUntilExit().catch((error: unknown) => {
    ui.print({ kind: 'failure', failure: Failure.from(error).toData() });
    close();
  });
  shellModel.viewTeller = (text) => controller.tell(text);
  shells.feed(shell, true).catch((error: unknown) => controller.lose(Failure.from(error)));

  await closing.promise;
  over.removeEventListener('abort', ended);
  shellModel.feedListener = undefined;
  shellModel.terminalOwner = undefined;
  shellModel.viewTeller = undefined;
  unfollow();
  controller.end();
  if (over.aborted) return;
  leave();
  await shells.feed(shell, false).catch(() => undefined);
}
