/** Chooses how the front is started, and as which user. */
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { Failure } from '../../domain/failure.ts';
import { Accounts, frontAccount } from '../../host/accounts.ts';
import { quoted } from '../../domain/text.ts';
import type { Runner } from '../../host/runner.ts';
import type { FrontUser } from '../../service/checks/tools.ts';
import { ChildFront } from './childFront.ts';
import type { FrontStarter } from './frontStarter.ts';
import { UnitFront } from './unitFront.ts';

export interface StarterOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  /** Runs programs on the machine itself, even if the host is simulated. */
  readonly runner: Runner;
}

export interface ChosenStarter {
  readonly starter: FrontStarter;
  readonly user: FrontUser;
}

/** The uid of nobody and the gid of nogroup on every Debian and Ubuntu (base-passwd). */
export const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 };

const entry = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../front/main.ts' : '../../front/main.js', import.meta.url),
);

/**
 * Reads CONTAINARIUM_FRONT, `child` or `unit`; the installed service sets `unit`. Throws `settings` for any other
 * value.
 */
export async function chooseStarter({ env, log, runner }: StarterOptions): Promise<ChosenStarter> {
  const wanted = env['CONTAINARIUM_FRONT'] ?? 'child';
  if (wanted !== 'child' && wanted !== 'unit')
    throw new Failure('settings', {
      what: `CONTAINARIUM_FRONT=${quoted(wanted)}`,
      why: 'there is no such way to start it',
      next: 'set it to child or unit',
    });
  if (wanted === 'unit')
    return { starter: new UnitFront({ entry, log, runner }), user: { name: frontAccount, shared: false, unit: true } };
  if (process.getuid?.() !== 0)
    return { starter: new ChildFront({ entry, log }), user: { name: null, shared: false, unit: false } };
  const own = await new Accounts(runner).account(frontAccount);
  const user = own ?? nobody;
  return {
    starter: new ChildFront({ entry, log, user }),
    user: { name: user.name, shared: own === undefined, unit: false },
  };
}
