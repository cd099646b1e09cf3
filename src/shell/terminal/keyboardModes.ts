/**
 * Tracks how the output has changed what the keyboard sends: by the kitty keyboard protocol, which has a stack of modes
 * on each screen, and by xterm's modifyOtherKeys and its relatives.
 */

type ScreenName = 'main' | 'alternate';

interface Stack {
  /** How many modes were pushed and not popped. Modes below were there before, and are not popped. */
  pushed: number;
  /** Whether the mode below those was set. */
  isSet: boolean;
}

/** More than any program pushes; terminals keep fewer. */
const maxPushed = 99;

export class KeyboardModes {
  #stacks = emptyStacks();
  /** The resources of xterm that were set, as the sequences that reset them. */
  readonly #resources = new Set<string>();

  /** Reads a control sequence, given as its marker and final character, on the screen that was shown. */
  read(kind: string, parameters: string, screen: ScreenName): void {
    const stack = this.#stacks[screen];
    const [first = '', second] = parameters.split(';');
    switch (kind) {
      case '>u':
        stack.pushed = Math.min(stack.pushed + 1, maxPushed);
        return;
      case '<u':
        stack.pushed = Math.max(0, stack.pushed - (first === '' ? 1 : Number(first)));
        return;
      case '=u':
        if (stack.pushed === 0) stack.isSet = !/^0*$/.test(first);
        return;
      // "CSI > 4 n" disables what "CSI > 4 ; 2 m" sets; the first without a value resets it.
      case '>m':
      case '>n':
      case '>f':
        return this.#setResource(first, kind === '>f' ? 'f' : 'm', kind === '>n' || second !== undefined);
      default:
    }
  }

  /** Returns the sequences that restore the keyboard on a screen that is shown. */
  restore(screen: ScreenName): string {
    const { pushed, isSet } = this.#stacks[screen];
    const stack = (pushed > 0 ? `\x1b[<${pushed}u` : '') + (isSet ? '\x1b[=0u' : '');
    return screen === 'main' ? stack + [...this.#resources].join('') : stack;
  }

  forget(): void {
    this.#stacks = emptyStacks();
    this.#resources.clear();
  }

  #setResource(resource: string, final: string, isChanged: boolean): void {
    // xterm has eight of each; others are ignored.
    if (!/^[0-7]$/.test(resource)) return;
    const reset = `\x1b[>${resource}${final}`;
    if (isChanged) this.#resources.add(reset);
    else this.#resources.delete(reset);
  }
}

function emptyStacks(): Record<ScreenName, Stack> {
  return { main: { pushed: 0, isSet: false }, alternate: { pushed: 0, isSet: false } };
}
