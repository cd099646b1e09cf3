/** Every generated page: path below docs/ → text. The same catalogue and settings give the same bytes. */
import { configurationPage } from './configuration.ts';
import { exitCodesPage } from './exitCodes.ts';
import { verbPages } from './verbPages.ts';

export function pages(): Map<string, string> {
  return new Map([...verbPages(), ['exit-codes.md', exitCodesPage()], ['configuration.md', configurationPage()]]);
}
