/** Everything that core stores besides the journal: small files in the state folder of its home. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openAlertStore, type AlertStore } from '../../service/alerts/alerts.ts';
import { CertificateStore } from '../../service/certificates/certificateStore.ts';
import { AdminStore } from '../../service/access/adminStore.ts';
import { CaStore } from '../../service/access/caStore.ts';
import { BanStore } from '../../service/access/banStore.ts';
import { InvitationStore } from '../../service/access/invitationStore.ts';
import { LastUses } from '../../service/access/lastUses.ts';
import { ShellMemory } from '../../service/shells/shellMemory.ts';

export class StateFiles {
  readonly admins: AdminStore;
  readonly cas: CaStore;
  readonly certificates: CertificateStore;
  readonly invitations: InvitationStore;
  readonly bans: BanStore;
  readonly lastUses: LastUses;
  readonly memory: ShellMemory;
  readonly alerts: AlertStore;

  private constructor(
    files: Pick<
      StateFiles,
      'admins' | 'cas' | 'certificates' | 'invitations' | 'bans' | 'lastUses' | 'memory' | 'alerts'
    >,
  ) {
    ({
      admins: this.admins,
      cas: this.cas,
      certificates: this.certificates,
      invitations: this.invitations,
      bans: this.bans,
      lastUses: this.lastUses,
      memory: this.memory,
      alerts: this.alerts,
    } = files);
  }

  /**
   * Opens all files. An unreadable file is an error, except for the last uses, the shells' memory and the alerts, which
   * then start empty, with a warning.
   */
  static async open(
    folder: string,
    { certificatesFolder, maxPenaltyMs, log }: { certificatesFolder: string; maxPenaltyMs: number; log: Logger },
  ): Promise<StateFiles> {
    const now = (): Date => new Date();
    const lastUses = await LastUses.open(join(folder, 'last-uses.json'), ({ message }) =>
      log.warn({ why: message }, 'the last uses of keys cannot be read'),
    );
    const admins = await AdminStore.open(join(folder, 'admins.json'), (key) => lastUses.of(key));
    return new StateFiles({
      admins,
      cas: await CaStore.open(join(folder, 'authorities.json')),
      certificates: await CertificateStore.open(certificatesFolder, join(folder, 'certificates.json')),
      invitations: await InvitationStore.open(join(folder, 'invitations.json'), admins, now),
      bans: await BanStore.open(join(folder, 'bans.json'), {
        now,
        maxPenaltyMs,
        onTrouble: ({ message }) =>
          log.warn({ why: message }, 'penalties could not be saved; a restart will lose them'),
      }),
      lastUses,
      memory: await ShellMemory.open(join(folder, 'shells.json'), ({ message }) =>
        log.warn({ why: message }, 'the saved history and settings of the shells cannot be read'),
      ),
      alerts: await openAlertStore(join(folder, 'alerts.json'), ({ message }) =>
        log.warn({ why: message }, 'the open alerts cannot be read; they are told again'),
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
