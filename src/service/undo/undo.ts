/** `undo`: takes back one's own last change, unless something else came after it. */
import { Failure } from '../../domain/failure.ts';
import type { UndoResult } from '../../domain/results/undo.ts';
import { quoted } from '../../domain/text.ts';
import type { ServiceContext } from '../context.ts';
import type { Call } from '../instances/context.ts';
import { inverseOf } from './inverses.ts';
import { lastChange } from './lastChange.ts';

/** Shows what takes the change back; with `yes`, does it. */
export async function undo(
  context: ServiceContext,
  { yes = false }: { readonly yes?: boolean | undefined },
  call: Call,
): Promise<UndoResult> {
  const found = await lastChange(
    { folder: context.journalFolder, now: context.now(), signal: call.signal },
    call.actor,
  );
  if (found === undefined)
    throw new Failure('not-found', { what: 'a change of yours', why: 'the journal has none that was made lately' });
  const { later, isUndo, takenBack, passed } = found;
  const { verb, target, at, operation } = found.change;
  if (isUndo)
    throw new Failure('wrong-state', {
      what: quoted(takenBack === undefined ? `${verb} ${target}` : `${takenBack.verb} ${takenBack.target}`),
      why: 'you have taken back your last change already',
      next: `"audit --target ${target}" shows what happened`,
    });
  if (later !== undefined)
    throw new Failure('wrong-state', {
      what: quoted(`${verb} ${target}`),
      why: `it cannot be taken back, because "${later.verb} ${target}" by ${later.actor} came after it (${later.at})`,
      next: `"audit --target ${target}" shows what happened`,
    });
  const inverse = inverseOf(found.change, call.actor);
  for (const { verb, target } of passed)
    call.progress.note(`"${verb} ${target}" is passed over: there is nothing in it to take back`);
  if (yes) {
    for (const one of [verb, inverse.verb]) call.permit(one);
    await inverse.run(context, call);
  }
  return { change: { verb, target, at, operation }, by: inverse.text, done: yes };
}
