/**
 * Simulates nft(8) as far as the firewall uses it: a file on standard input with whole tables, and the listing of one
 * table. The rules have no effect here.
 */
import { done, printed, refused } from '../program/answer.ts';
import type { SimulatedProgram } from '../program/answer.ts';

export const nft: SimulatedProgram = {
  changes: (args) => args[0] === '-f',
  isLong: () => false,
  run({ state }, { args, input }) {
    if (args[0] === '-f') {
      for (const [, remove, family = '', name = '', body] of input.matchAll(
        /^(delete )?table (\w+) (\w+)( \{\n[\s\S]*?\n\})?$/gm,
      )) {
        const key = `${family} ${name}`;
        if (remove !== undefined) delete state.tables[key];
        else state.tables[key] = `table ${key}${body ?? ' {\n}'}\n`;
      }
      return done();
    }
    const [, , , family = '', name = ''] = args;
    const table = state.tables[`${family} ${name}`];
    return table === undefined
      ? refused(1, `Error: No such file or directory\nlist table ${family} ${name}`)
      : printed(table);
  },
};
