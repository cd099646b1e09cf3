/** What the conditions of alerts look at. */
import type { Schedule } from '../../domain/results/schedule.ts';
import type { BanStore } from '../access/banStore.ts';
import type { CertificateStore } from '../certificates/certificateStore.ts';
import type { DoctorTools } from '../checks/tools.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { HostContext } from '../instances/context.ts';
import type { Keeping } from '../keeping/journalKeeping.ts';
import type { Alerts } from './alerts.ts';

export interface AlertContext extends HostContext {
  readonly doctor: DoctorTools;
  readonly firewall: Firewall;
  readonly bans: Pick<BanStore, 'penalties'>;
  readonly certificates: Pick<CertificateStore, 'server' | 'issued'>;
  readonly schedule: { list(): Schedule };
  readonly keeping: Pick<Keeping, 'anchorTrouble'>;
  readonly alerts: Pick<Alerts, 'delivery'>;
}
