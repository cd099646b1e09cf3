/** A desk whose every written piece is kept, and on which answers are typed ahead. */
import { Desk } from '../../../../src/shell/plain/desk.ts';

export class Paper {
  written = '';
  readonly desk = new Desk({ write: (text) => (this.written += text), columns: () => 200, interrupted: () => false });

  constructor(...typed: readonly string[]) {
    // A line at a time, as somebody types: two at once may be a paste.
    for (const each of typed) for (const piece of each.match(/[^\r]*\r|[^\r]+/g) ?? []) this.desk.feed(piece);
  }
}
