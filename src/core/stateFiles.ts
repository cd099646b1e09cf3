/** What core keeps besides the journal: small files in the state folder of its home, all opened here. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Admins } from '../service/admins.ts';
import { Authorities } from '../service/authorities.ts';
import { Bans } from '../service/bans.ts';
import { Invitations } from '../service/invitations.ts';
import { LastUses } from './lastUses.ts';
import { ShellMemory } from './shellMemory.ts';

export class StateFiles {
  readonly admins: Admins;
  readonly authorities: Authorities;
  readonly invitations: Invitations;
  readonly bans: Bans;
  readonly lastUses: LastUses;
  readonly memory: ShellMemory;

  private constructor(
    files: Pick<StateFiles, 'admins' | 'authorities' | 'invitations' | 'bans' | 'lastUses' | 'memory'>,
  ) {
    ({
      admins: this.admins,
      authorities: this.authorities,
      invitations: this.invitations,
      bans: this.bans,
      lastUses: this.lastUses,
      memory: this.memory,
    } = files);
  }

  /** Who may log in has to be readable; what is a convenience begins anew, with a warning. */
  static async open(folder: string, maxPenaltyMs: number, log: Logger): Promise<StateFiles> {
    const now = (): Date => new Date();
    const lastUses = await LastUses.open(join(folder, 'last-uses.json'), ({ message }) =>
      log.warn({ why: message }, 'the last uses of keys cannot be read'),
    );
    const admins = await Admins.open(join(folder, 'admins.json'), (key) => lastUses.of(key));
    return new StateFiles({
      admins,
      authorities: await Authorities.open(join(folder, 'authorities.json')),
      invitations: await Invitations.open(join(folder, 'invitations.json'), admins, now),
      bans: await Bans.open(join(folder, 'bans.json'), {
        now,
        maxPenaltyMs,
        onTrouble: ({ message }) =>
          log.warn({ why: message }, 'penalties could not be written: a restart forgets them'),
      }),
      lastUses,
      memory: await ShellMemory.open(join(folder, 'shells.json'), ({ message }) =>
        log.warn({ why: message }, 'what shells remembered cannot be read'),
      ),
    });
  }

  /** Resolves when everything is written. */
  async settled(): Promise<void> {
    await this.memory.settled();
    await this.lastUses.settled();
    await this.bans.settled();
  }
}
