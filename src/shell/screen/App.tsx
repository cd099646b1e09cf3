/**
 * The live part of the screen: running calls, then the input line or a dialog, then the status line. It is always
 * shorter than the window. The transcript above it belongs to the terminal's scrollback.
 */
import { Box, useApp, useStdout, useWindowSize } from 'ink';
import { useEffect, useSyncExternalStore, type ReactElement } from 'react';
import type { Keyed } from '../composer/keys.ts';
import { FormView } from '../forms/FormView.tsx';
import { LiveCallLines, countLines } from './LiveCallLines.tsx';
import { ComposerView, pastedRows } from './ComposerView.tsx';
import { ConfirmView } from './ConfirmView.tsx';
import type { ScreenStore } from './store.ts';
import { useKeys } from './useKeys.ts';

/** Functions that the app passes to `onMount`. */
export interface AppHandles {
  /** Writes above the live part. */
  readonly write: (text: string) => void;
  /** Stops drawing. The returned function resumes it. */
  readonly suspend: () => Promise<() => Promise<void>>;
}

export interface AppProps {
  readonly store: ScreenStore;
  /** Returns the receiver of keys: the dialog or the composer. */
  readonly keyed: () => Keyed;
  readonly onMount: (handles: AppHandles) => void;
  /** Called with an exception from handling a key. */
  readonly onError: (error: unknown) => void;
}

export function App({ store, keyed, onMount, onError }: AppProps): ReactElement {
  const { dialog, composer, liveCalls, hint, status } = useSyncExternalStore(store.subscribe, store.get);
  const { write } = useStdout();
  const { suspendTerminal } = useApp();
  const { columns, rows } = useWindowSize();

  useEffect(() => {
    onMount({
      write,
      suspend: async () => {
        const suspension = await suspendTerminal();
        return () => suspension.resume();
      },
    });
  }, []);

  useKeys(keyed, onError);

  // One row stays free for the cursor after the last line.
  const room = Math.max(3, rows - 1);
  const below = dialog === undefined ? 2 + pastedRows(composer, room - 2) : Math.min(room - 1, dialog.height);
  const above = Math.max(0, Math.min(liveCalls.length === 0 ? 0 : 12, room - below));
  const shown = countLines(liveCalls, above);
  return (
    <Box flexDirection="column">
      <LiveCallLines liveCalls={liveCalls} maxLines={above} />
      {dialog === undefined ? (
        <ComposerView
          composer={composer}
          hint={hint}
          status={status}
          columns={columns}
          rows={room - shown}
          top={shown}
        />
      ) : dialog.kind === 'confirm' ? (
        <ConfirmView
          dialog={dialog}
          line={dialog.line}
          mistyped={dialog.mistyped}
          columns={columns}
          rows={room - shown}
          top={shown}
        />
      ) : (
        <FormView form={dialog} state={dialog.state} columns={columns} rows={room - shown} top={shown} />
      )}
    </Box>
  );
}
