/** The shell's own words at work. */
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { ShellSettings } from '../../domain/events/notice.ts';
import { quoted } from '../../domain/text.ts';
import type { ShellClient } from '../../protocol/shellClient.ts';
import type { Builtin } from './builtins.ts';
import { clipboardSequence, qrCode } from './clip.ts';
import type { Ui } from './ui.ts';

/** What they need of their conversation. */
export interface BuiltinContext {
  settings: ShellSettings;
  readonly clip: string | undefined;
  readonly options: {
    readonly ui: Ui;
    readonly actor: Actor;
    readonly shells: Pick<ShellClient, 'saveSettings'>;
    readonly leave: () => void;
  };
  note(text: string): void;
}

/** Rejects with a Failure where there is nothing to do it with. */
export async function runBuiltin(name: Builtin, words: readonly string[], context: BuiltinContext): Promise<void> {
  const { ui, actor, shells, leave } = context.options;
  if (ui.plain && (name === 'copy' || name === 'qr')) {
    throw new Failure('usage', {
      what: quoted(name),
      why: 'in screen-reader mode nothing but text is sent to your terminal',
      next: 'take the text from the lines above',
    });
  }
  switch (name) {
    case 'exit':
      leave();
      return;
    case 'clear':
      ui.clear();
      return;
    case 'plain': {
      const plain = words[0] !== 'off';
      await shells.saveSettings(actor, { plain });
      context.settings = { plain };
      context.note(
        plain
          ? 'Screen-reader mode from the next login on; "plain off" takes it back. For once: ssh -t … plain'
          : 'The usual shell from the next login on.',
      );
      return;
    }
    case 'copy': {
      const sequence = clipboardSequence(copied(context));
      if (sequence === undefined)
        throw new Failure('usage', {
          what: 'the text',
          why: 'it is too long for a clipboard',
          next: 'select it with the mouse',
        });
      ui.copy(sequence);
      context.note('Sent to your clipboard. Where your terminal does not allow that (OSC 52), select it above.');
      return;
    }
    case 'qr': {
      const code = qrCode(copied(context), ui.width());
      if (code === undefined) {
        throw new Failure('usage', {
          what: 'the QR code',
          why: 'the terminal is too narrow for it, or the text too long',
          next: 'make the window wider',
        });
      }
      ui.print({ kind: 'raw', text: code });
    }
  }
}

function copied({ clip, options: { actor } }: BuiltinContext): string {
  if (clip !== undefined) return clip;
  throw new Failure('usage', {
    what: 'the clipboard',
    why: 'nothing has been shown yet that is made for copying',
    next: actor.entryPoint === 'self' ? 'config' : 'export <user>',
  });
}
