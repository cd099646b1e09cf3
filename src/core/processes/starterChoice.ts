/** Chooses how a process is started, and as which user. */
import type { Logger } from 'pino';
import { Failure } from '../../domain/failure.ts';
import { programFile } from '../../domain/packageRoot.ts';
import { Accounts } from '../../host/accounts.ts';
import { quoted } from '../../domain/text.ts';
import type { Runner } from '../../host/runner.ts';
import type { FrontUser } from '../../service/checks/tools.ts';
import { ChildStarter } from './childStarter.ts';
import type { ProcessKind, ProcessStarter } from './processStarter.ts';
import { UnitStarter } from './unitStarter.ts';

export interface StarterOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  /** Runs programs on the machine itself, even if the host is simulated. */
  readonly runner: Runner;
}

export interface ChosenStarter {
  readonly starter: ProcessStarter;
  readonly user: FrontUser;
}

/** The uid of nobody and the gid of nogroup on every Debian and Ubuntu (base-passwd). */
export const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 };

/**
 * Reads CONTAINARIUM_FRONT, `child` or `unit`; the installed service sets `unit`. Throws `settings` for any other
 * value.
 */
export async function chooseStarter(kind: ProcessKind, { env, log, runner }: StarterOptions): Promise<ChosenStarter> {
  const entry = programFile(`${kind.name}/main`);
  const wanted = env['CONTAINARIUM_FRONT'] ?? 'child';
  if (wanted !== 'child' && wanted !== 'unit')
    throw new Failure('settings', {
      what: `CONTAINARIUM_FRONT=${quoted(wanted)}`,
      why: 'there is no such way to start it',
      next: 'set it to child or unit',
    });
  if (wanted === 'unit')
    return {
      starter: new UnitStarter({ kind, entry, log, runner }),
      user: { name: kind.account, shared: false, unit: true },
    };
  if (process.getuid?.() !== 0)
    return { starter: new ChildStarter({ kind, entry, log }), user: { name: null, shared: false, unit: false } };
  const own = await new Accounts(runner).account(kind.account);
  const user = own ?? nobody;
  return {
    starter: new ChildStarter({ kind, entry, log, user }),
    user: { name: user.name, shared: own === undefined, unit: false },
  };
}
