/** The display of a shell, which the user may exchange for one of the other kind while the shell runs. */
import type { HandedOverTerminal } from '../../domain/terminal.ts';
import type { Item } from '../items/item.ts';
import type { ListRequest } from './listRequest.ts';
import type { ShellModel } from './shellModel.ts';
import type { ShellUi } from './shellUi.ts';
import type { Confirmation, FormRequest } from './ui.ts';

export class CurrentUi implements ShellUi {
  #ui: ShellUi;

  constructor(ui: ShellUi) {
    this.#ui = ui;
  }

  get plain(): boolean {
    return this.#ui.plain;
  }

  get isAsking(): boolean {
    return this.#ui.isAsking;
  }

  get lines(): readonly string[] {
    return this.#ui.lines;
  }

  /** Takes another display in place of this one, which has been closed. */
  exchange(ui: ShellUi): void {
    this.#ui = ui;
  }

  show(shell: ShellModel, lines: readonly string[]): void {
    this.#ui.show(shell, lines);
  }

  ready(): void {
    this.#ui.ready();
  }

  close(): void {
    this.#ui.close();
  }

  print(item: Item): void {
    this.#ui.print(item);
  }

  changed(): void {
    this.#ui.changed();
  }

  confirm(confirmation: Confirmation): Promise<boolean> {
    return this.#ui.confirm(confirmation);
  }

  form(request: FormRequest): Promise<Readonly<Record<string, unknown>> | undefined> {
    return this.#ui.form(request);
  }

  remember(line: string): void {
    this.#ui.remember(line);
  }

  view(request: ListRequest): Promise<void> {
    return this.#ui.view(request);
  }

  handOver(): Promise<HandedOverTerminal> {
    return this.#ui.handOver();
  }

  copy(text: string): void {
    this.#ui.copy(text);
  }

  clear(): void {
    this.#ui.clear();
  }

  width(): number {
    return this.#ui.width();
  }
}
