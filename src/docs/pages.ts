/** Returns all generated pages by their path below docs/. Equal catalogues and settings give equal bytes. */
import { configurationPage } from './configuration.ts';
import { exitCodesPage } from './exitCodes.ts';
import { rpcsPage } from './rpcs.ts';
import { verbPages } from './verbPages.ts';

export function pages(): Map<string, string> {
  return new Map([
    ...verbPages(),
    ['exit-codes.md', exitCodesPage()],
    ['configuration.md', configurationPage()],
    ['rpcs.md', rpcsPage()],
  ]);
}
