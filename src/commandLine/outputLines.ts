/**
 * Output that keeps coming, as JSON lines: a header document, then an object for each line of the output, and the
 * document of a failure if one ends it. Each stands on a line of its own.
 */
import { failureDocument } from '../catalogue/render.ts';
import type { Failure } from '../domain/failure.ts';
import type { HostTag } from '../domain/results/about.ts';
import { safeJson } from '../domain/text.ts';

/** Maximum length of a line in characters; a longer one becomes several. */
const maxLineLength = 65_536;

export class OutputLines {
  readonly #command: string;
  readonly #host: HostTag;
  readonly #write: (text: string) => void;
  #begun = false;
  /** The beginning of a line whose end has not come. */
  #rest = '';

  constructor(command: string, host: HostTag, write: (text: string) => void) {
    this.#command = command;
    this.#host = host;
    this.#write = write;
  }

  print(text: string): void {
    this.#begin();
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#document({ line: line.replace(/\r$/, '') });
    if (this.#rest.length >= maxLineLength) this.#flush();
  }

  end(): void {
    this.#begin();
    this.#flush();
  }

  fail(failure: Failure): void {
    this.#flush();
    this.#document(failureDocument(failure, this.#command, this.#host));
  }

  #begin(): void {
    if (!this.#begun) this.#document({ ok: true, command: this.#command, host: this.#host });
    this.#begun = true;
  }

  #flush(): void {
    if (this.#rest !== '') this.#document({ line: this.#rest });
    this.#rest = '';
  }

  #document(document: unknown): void {
    this.#write(`${safeJson(document)}\n`);
  }
}
