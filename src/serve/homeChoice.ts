/** Chooses the home of the server. On the real host, state belongs in the system and not in a checkout. */
import { statSync } from 'node:fs';
import { defaultHomes, findHome, type DefaultHomes, type Home } from '../settings/home.ts';

export interface HomeOptions {
  readonly real: boolean;
  readonly simulated: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number | undefined;
  readonly isIncusUsable: () => Promise<boolean>;
  readonly defaults?: DefaultHomes;
}

/** Returns the home; see `findHome`. A choice of the host that root's server has stored in the checkout stays there. */
export async function chooseHome({
  real,
  simulated,
  env,
  uid,
  isIncusUsable,
  defaults = defaultHomes,
}: HomeOptions): Promise<Home> {
  if (simulated && env['CONTAINARIUM_HOME'] === undefined) return defaults.checkout;
  const isRoot = uid === 0;
  const isRequested = real || env['CONTAINARIUM_HOST'] === 'incus';
  const mayDetect =
    isRoot && !isRequested && env['CONTAINARIUM_HOST'] !== 'simulated' && !hasChosen(defaults.checkout, uid);
  return findHome(env, { isRoot, realHost: isRequested || (mayDetect && (await isIncusUsable())), defaults });
}

/** Reports whether a server of this user has chosen its host in this home. A trial by another user decides nothing. */
function hasChosen({ hostChoice }: Home, uid: number): boolean {
  return statSync(hostChoice, { throwIfNoEntry: false })?.uid === uid;
}
