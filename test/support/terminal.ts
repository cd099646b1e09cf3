/** A real terminal for tests, run by a tmux server of its own. A test types keys and reads the screen. */
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { eventually, temporaryFolder } from './server.ts';

export interface Terminal {
  /** Types text literally, then keys by their tmux names (`Enter`, `C-c`). */
  type(text: string, ...keys: string[]): Promise<void>;
  /** Returns scrollback and screen, without trailing blanks. */
  screen(): Promise<string>;
  /** Waits until the screen matches and returns it. */
  shows(pattern: RegExp): Promise<string>;
}

/**
 * Command prefix that runs a command and prints its exit status ("ended with 0"), because tmux does not always notice
 * the end of a command.
 */
export const telling: readonly string[] = [
  'python3',
  '-c',
  'import subprocess, sys, time; print("ended with", subprocess.call(sys.argv[1:]), flush=True); time.sleep(3600)',
];

/** Runs a command in a terminal of 100 columns and 100 rows, which stays open after the command has ended. */
export async function openTerminal(command: readonly string[]): Promise<Terminal> {
  const socket = join(await temporaryFolder(), 'tmux');
  const tmux = async (...args: string[]): Promise<string> =>
    (await execa('tmux', ['-S', socket, '-f', '/dev/null', ...args])).stdout;
  onTestFinished(async () => {
    await execa('tmux', ['-S', socket, 'kill-server'], { reject: false });
  });
  // tmux runs a list of arguments without a shell. The pane must outlive the command, so that its last screen can be
  // read.
  await tmux(
    'new-session',
    '-d',
    '-x',
    '100',
    '-y',
    '100',
    'cat',
    ';',
    'set-option',
    '-w',
    'remain-on-exit',
    'on',
    ';',
    'respawn-pane',
    '-k',
    ...command,
  );
  const screen = async (): Promise<string> => (await tmux('capture-pane', '-p', '-S', '-')).replace(/\s+$/, '');
  return {
    async type(text, ...keys) {
      if (text !== '') await tmux('send-keys', '-l', text);
      if (keys.length > 0) await tmux('send-keys', ...keys);
    },
    screen,
    shows: (pattern) =>
      eventually(
        async () => {
          const shown = await screen();
          return pattern.test(shown) ? shown : undefined;
        },
        async () => `the terminal shows ${pattern}; it shows:\n${await screen()}`,
      ),
  };
}
