/** Runs the shell's builtins. */
import type { Builtin } from '../../catalogue/builtins.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { ShellSettings } from '../../domain/events/notice.ts';
import { quoted } from '../../domain/text.ts';
import type { ShellClient } from '../../protocol/shellClient.ts';
import { clipboardSequence, qrCode } from './clipboard.ts';
import type { Ui } from './ui.ts';

/** The parts of the shell that builtins use. */
export interface BuiltinContext {
  settings: ShellSettings;
  readonly textToCopy: string | undefined;
  readonly options: {
    readonly ui: Ui;
    readonly actor: Actor;
    readonly shells: Pick<ShellClient, 'saveSettings'>;
    readonly setPlain: (plain: boolean) => Promise<boolean>;
  };
  note(text: string): void;
}

/** Runs a builtin. Rejects with a Failure if it cannot, such as `copy` before there is any text to copy. */
export async function runBuiltin(
  name: Exclude<Builtin, 'exit'>,
  words: readonly string[],
  context: BuiltinContext,
): Promise<void> {
  const { ui, actor, shells } = context.options;
  if (ui.plain && (name === 'copy' || name === 'qr')) {
    throw new Failure('usage', {
      what: quoted(name),
      why: 'screen-reader mode sends nothing but text to your terminal',
      next: 'copy the text from the lines above',
    });
  }
  switch (name) {
    case 'clear':
      ui.clear();
      return;
    case 'plain': {
      const plain = words[0] !== 'off';
      await shells.saveSettings(actor, { plain });
      context.settings = { plain };
      const isDone = await context.options.setPlain(plain);
      if (!isDone)
        context.note('Your terminal type (TERM) supports nothing else. With another one the usual shell opens.');
      else if (plain) context.note('Screen-reader mode is on, also after your next login. "plain off" turns it off.');
      else context.note('Screen-reader mode is off.');
      return;
    }
    case 'copy': {
      const sequence = clipboardSequence(copied(context));
      if (sequence === undefined)
        throw new Failure('usage', {
          what: 'the text',
          why: 'too long for the clipboard',
          next: 'select it with the mouse',
        });
      ui.copy(sequence);
      context.note('Sent to your clipboard. If your terminal does not allow this (OSC 52), select the text above.');
      return;
    }
    case 'qr': {
      const code = qrCode(copied(context), ui.width());
      if (code === undefined) {
        throw new Failure('usage', {
          what: 'the QR code',
          why: 'the terminal is too narrow or the text is too long',
          next: 'make the window wider',
        });
      }
      ui.print({ kind: 'raw', text: code });
    }
  }
}

function copied({ textToCopy, options: { actor } }: BuiltinContext): string {
  if (textToCopy !== undefined) return textToCopy;
  throw new Failure('usage', {
    what: 'the clipboard',
    why: 'there is nothing to copy yet',
    next: actor.entryPoint === 'self' ? '"config" prints what to copy' : '"export <user>" prints what to copy',
  });
}
