/** The check of `doctor` for the firewall around the containers. */
import { plural } from '../../domain/text.ts';
import type { Firewall, FirewallState } from '../firewall/firewall.ts';
import { planFirewall } from '../firewall/plan.ts';
import type { HostContext } from '../instances/context.ts';
import { ok, problem, warning, type Outcome } from './outcome.ts';

const faults: Readonly<Record<Exclude<FirewallState, 'in force' | 'outdated'>, string>> = {
  missing: 'its tables are missing: another program removed them, or they could not be loaded',
  changed: 'its tables are not those that containarium loads',
  learning: 'the bridge learns addresses from frames that no rule sees',
};

export async function checkFirewall(context: HostContext, firewall: Firewall, signal: AbortSignal): Promise<Outcome> {
  if (!context.settings.firewall.enabled)
    return warning(
      'turned off by the configuration: containers can reach this host, its networks and the metadata of its cloud',
      'set firewall.enabled to true, and restart containarium',
    );
  const [state, plan] = await Promise.all([firewall.state(signal), planFirewall(context, signal)]);
  if (state !== 'in force' && state !== 'outdated')
    return problem(faults[state], 'containarium loads it again within a minute; if it cannot, its log says why');
  const open = plan.hostPorts.map(({ port, protocol }) => `${port}/${protocol}`);
  const soon = state === 'outdated' ? '; the networks of this host have changed, which it follows within a minute' : '';
  return ok(
    `in force on ${plan.bridge}: of this host containers reach DNS${open.length === 0 ? '' : `, ${open.join(', ')}`}; ${plural(plan.deniedNetworks.length, 'network')} denied${soon}`,
  );
}
