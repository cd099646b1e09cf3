/** `undo`: takes back one's own last change, unless something else came after it. */
import { Failure } from '../../domain/failure.ts';
import type { UndoResult } from '../../domain/results/undo.ts';
import { quoted } from '../../domain/text.ts';
import type { ServiceContext } from '../context.ts';
import type { Call } from '../instances/context.ts';
import { guarded } from './guarded.ts';
import { inverseOf } from './inverses.ts';
import { lastChange, type LastChange } from './lastChange.ts';

/** Shows what takes the change back; with `yes`, does it. */
export async function undo(
  context: ServiceContext,
  { yes = false }: { readonly yes?: boolean | undefined },
  call: Call,
): Promise<UndoResult> {
  const find = (): Promise<LastChange | undefined> =>
    lastChange({ folder: context.journalFolder, now: context.now(), signal: call.signal }, call.actor);
  const found = await find();
  if (found === undefined)
    throw new Failure('not-found', { what: 'a change of yours', why: 'the journal has none that was made lately' });
  const { isUndo, takenBack, passed } = found;
  const { verb, target, at, operation } = found.change;
  if (isUndo)
    throw new Failure('wrong-state', {
      what: quoted(takenBack === undefined ? `${verb} ${target}` : `${takenBack.verb} ${takenBack.target}`),
      why: 'you have taken back your last change already',
      next: `"audit --target ${target}" shows what happened`,
    });
  refuseLater(found);
  const inverse = inverseOf(found.change, call.actor);
  for (const { verb, target } of passed)
    call.progress.note(`"${verb} ${target}" is passed over: there is nothing in it to take back`);
  if (yes) {
    for (const one of [verb, inverse.verb]) call.permit(one);
    // Another call may have changed the container since. While this operation holds it, none can.
    const operations = guarded(context.operations, async () => {
      const last = await find();
      if (last?.change.operation !== operation)
        throw new Failure('wrong-state', {
          what: quoted(`${verb} ${target}`),
          why: 'you have changed something else meanwhile',
          next: '"undo" shows your last change',
        });
      refuseLater(last);
    });
    await inverse.run({ ...context, operations }, call);
  }
  return { change: { verb, target, at, operation }, by: inverse.text, done: yes };
}

function refuseLater({ change: { verb, target }, later }: Pick<LastChange, 'change' | 'later'>): void {
  if (later === undefined) return;
  throw new Failure('wrong-state', {
    what: quoted(`${verb} ${target}`),
    why: `it cannot be taken back, because "${later.verb} ${target}" by ${later.actor} came after it (${later.at})`,
    next: `"audit --target ${target}" shows what happened`,
  });
}
