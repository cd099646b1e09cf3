/** VerbService/View: an answer as data and as it is shown, for a client that asks several servers. */
import { exitCodes, Failure } from '../../../domain/failure.ts';
import { joinChoices, quoted } from '../../../domain/text.ts';
import { namingFilters } from '../../../catalogue/output/noMatch.ts';
import { parseCommandLine } from '../../../catalogue/parse.ts';
import { actorOf, callVerb, type Services } from '../calls.ts';
import { unary } from '../unary.ts';

/** Verbs that read, and whose answers make sense side by side. */
const verbsForSeveral = ['list', 'info', 'doctor', 'audit'];

interface ViewRequest {
  readonly words: readonly string[];
  readonly terminal: boolean;
}

export function view(services: Services) {
  return unary(async (call, { words, terminal }: ViewRequest) => {
    const { actor } = actorOf(services, call);
    const { verb, input, format, help } = parseCommandLine(words, actor);
    if (help || !verbsForSeveral.includes(verb.name))
      throw new Failure('usage', {
        what: `${quoted(help ? 'help' : verb.name)} on several servers`,
        why: `only ${joinChoices(verbsForSeveral)} can ask several at once`,
        next: 'name one server: --on NAME',
      });
    const { result } = await callVerb(services, call, { verb: verb.name, input });
    return {
      verb: verb.name,
      format,
      result_json: JSON.stringify(result),
      blocks_json: JSON.stringify(
        namingFilters(verb.view(result as never, { now: new Date(), terminal }), verb, input),
      ),
      exit: exitCodes[verb.exit?.(result as never) ?? 'ok'],
    };
  });
}
