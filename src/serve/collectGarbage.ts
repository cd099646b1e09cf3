import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects garbage now, as `node --expose-gc` lets a program do. A start leaves megabytes behind, and an idle process
 * allocates too little to be rid of them.
 */
export function collectGarbage(): void {
  // A context has `gc` if it is made while the flag is set.
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (how: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;
  setFlagsFromString('--no-expose-gc');
  // The last resort gives the pages back too.
  gc({ type: 'major', flavor: 'last-resort' });
}
