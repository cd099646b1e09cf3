/** The share of the event loop of a client that has it all. */
import type { TerminalPort } from '../../src/shell/terminal/port.ts';

export const alone: Pick<TerminalPort, 'spend' | 'later'> = {
  spend: () => undefined,
  later: (act) => {
    const turn = setImmediate(act);
    return () => clearImmediate(turn);
  },
};
