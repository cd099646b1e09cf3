/** Which way a front is started here, and as whom. */
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { Failure } from '../../domain/failure.ts';
import { Accounts, frontAccount } from '../../host/accounts.ts';
import type { Runner } from '../../host/runner.ts';
import type { FrontUser } from '../../service/checks/tools.ts';
import { ChildFront } from './childFront.ts';
import type { FrontStarter } from './frontStarter.ts';
import { UnitFront } from './unitFront.ts';

export interface StarterOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  /** The machine's own programs, also where the host is a simulated one. */
  readonly runner: Runner;
}

export interface ChosenStarter {
  readonly starter: FrontStarter;
  readonly is: FrontUser;
}

/** uid and gid of nobody and nogroup on every Debian and Ubuntu (base-passwd). */
export const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 };

const entry = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../front/main.ts' : '../../front/main.js', import.meta.url),
);

/** `CONTAINARIUM_FRONT=unit` is set by the installed service. Throws `settings` for what is neither. */
export async function chooseStarter({ env, log, runner }: StarterOptions): Promise<ChosenStarter> {
  const wanted = env['CONTAINARIUM_FRONT'] ?? 'child';
  if (wanted !== 'child' && wanted !== 'unit')
    throw new Failure('settings', { what: `CONTAINARIUM_FRONT="${wanted}"`, why: 'it is "child" or "unit"' });
  if (wanted === 'unit')
    return { starter: new UnitFront({ entry, log, runner }), is: { name: frontAccount, shared: false, unit: true } };
  if (process.getuid?.() !== 0)
    return { starter: new ChildFront({ entry, log }), is: { name: null, shared: false, unit: false } };
  const own = await new Accounts(runner).account(frontAccount);
  const user = own ?? nobody;
  return {
    starter: new ChildFront({ entry, log, user }),
    is: { name: user.name, shared: own === undefined, unit: false },
  };
}
