/**
 * Chooses between the real and the simulated host: once, at the first start. The choice is stored, so that a real host
 * that does not answer one day is an error and not a reason to simulate.
 */
import * as z from 'zod';
import type { HostTag } from '../../domain/results/about.ts';
import { Failure } from '../../domain/failure.ts';
import type { Incus } from '../../host/incus/incus.ts';
import { incusTrouble } from '../../host/incus/trouble.ts';
import { openState } from '../../journal/jsonState.ts';

const schema = z.object({ host: z.enum(['incus', 'simulated']), why: z.string() }).nullable();

export interface HostOptions {
  readonly wanted: 'auto' | 'incus' | 'simulated';
  readonly isRoot: boolean;
  readonly statePath: string;
  readonly incus: Incus;
}

export async function chooseHost({ wanted, isRoot, statePath, incus }: HostOptions): Promise<HostTag> {
  const state = await openState<z.infer<typeof schema>>(statePath, schema, null);
  const kept = state.data;
  if (wanted === 'simulated') return { kind: 'simulated', simulated: true, why: 'the configuration asks for it' };
  if (wanted === 'incus') {
    if (!isRoot)
      throw new Failure('settings', {
        what: 'the real host',
        why: 'making jump accounts requires root',
        next: 'sudo npm start',
      });
    const why = 'the configuration asks for it';
    if (kept?.host !== 'incus') {
      // From now on this home belongs to the real host, even if the setting goes away.
      state.data = { host: 'incus', why };
      await state.write();
    }
    return { kind: 'incus', simulated: false, why };
  }
  const chosen = kept ?? (await detect(isRoot, incus));
  if (kept === null) {
    state.data = chosen;
    await state.write();
  }
  if (chosen.host === 'incus' && !isRoot) {
    throw new Failure('settings', {
      what: 'the real host',
      why: 'this server has used the real host before, which requires root',
      next: 'sudo npm start, or set CONTAINARIUM_HOST=simulated',
    });
  }
  return { kind: chosen.host, simulated: chosen.host === 'simulated', why: chosen.why };
}

async function detect(isRoot: boolean, incus: Incus): Promise<{ host: 'incus' | 'simulated'; why: string }> {
  const trouble = isRoot ? await incusTrouble(incus) : 'not started as root';
  return trouble === undefined
    ? { host: 'incus', why: 'Incus is reachable and usable' }
    : { host: 'simulated', why: trouble };
}
