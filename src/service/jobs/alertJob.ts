/** Looks at what there are alerts for, and tells what begins and what is over. */
import { plural } from '../../domain/text.ts';
import { Conditions } from '../alerts/conditions.ts';
import type { ServiceContext } from '../context.ts';
import type { Job } from './job.ts';

export class AlertJob implements Job {
  readonly name = 'alerts';
  readonly summary = 'Look for what admins should know, and tell them when it begins and when it is over';
  readonly pattern = '*/5 * * * *';
  readonly #conditions: Conditions;

  constructor(conditions = new Conditions()) {
    this.#conditions = conditions;
  }

  async run(context: ServiceContext): Promise<string | undefined> {
    const { begun, over } = await context.alerts.take(await this.#conditions.look(context));
    return begun + over === 0 ? undefined : `${plural(begun, 'alert')} began, ${over} over`;
  }
}
