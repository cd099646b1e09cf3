/** Finds the verb by which `audit` is asked to search. */
import { verbCalled, verbNames, verbNamed } from '../../catalogue/catalogue.ts';
import { didYouMean, similar } from '../../catalogue/similar.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';

/** What the records of plans have after the verb. */
const planSuffix = ' --plan';

/** Returns an input of `audit` with the name of its verb in place of an alias. Throws `usage` for an unknown verb. */
export function withKnownVerb<T extends { readonly verb?: string | undefined }>(input: T): T {
  const { verb } = input;
  if (verb === undefined) return input;
  const isPlan = verb.endsWith(planSuffix);
  const wanted = isPlan ? verb.slice(0, -planSuffix.length) : verb;
  const all = verbNames.map((name) => verbNamed(name));
  const found = verbCalled(wanted, all);
  if (found !== undefined) return { ...input, verb: `${found.name}${isPlan ? planSuffix : ''}` };
  const near = similar(wanted, verbNames);
  throw new Failure('usage', {
    what: `--verb ${quoted(verb)}`,
    why: 'no such verb',
    next: near.length === 0 ? '"help" lists all verbs' : didYouMean(near),
  });
}
