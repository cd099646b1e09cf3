/** A LineTerminal that records its output and has answers typed ahead. */
import { LineTerminal } from '../../../../src/shell/plain/lineTerminal.ts';

export class FakeTerminal {
  written = '';
  readonly terminal = new LineTerminal({
    write: (text) => (this.written += text),
    columns: () => 200,
    interrupted: () => false,
  });

  constructor(...typed: readonly string[]) {
    // One line at a time, because two at once may look like a paste.
    for (const each of typed) for (const piece of each.match(/[^\r]*\r|[^\r]+/g) ?? []) this.terminal.feed(piece);
  }
}
