/** The check of the firewall, on a simulated host. */
import { describe, expect, it } from 'vitest';
import { checkFirewall } from '../../../../src/service/checks/firewallCheck.ts';
import type { Outcome } from '../../../../src/service/checks/outcome.ts';
import { hosts } from '../../../support/world/hosts.ts';
import type { World } from '../../../support/world/world.ts';

const host = hosts((world) => world.context.accounts.ensureGroup('containarium-jump'));
const check = ({ context }: World): Promise<Outcome> =>
  checkFirewall(context, context.firewall, new AbortController().signal);

describe('the check of the firewall', () => {
  it('is a problem until the firewall is loaded', async () => {
    const world = await host();
    expect(await check(world)).toMatchObject({ severity: 'problem', detail: expect.stringContaining('are missing') });
    await world.context.firewall.apply();
    expect(await check(world)).toEqual({
      severity: 'ok',
      detail: 'in force on incusbr0: of this host containers reach DNS; 6 networks denied',
      next: null,
    });
  });

  it('says which ports of the host are open', async () => {
    const world = await host({ settings: { firewall: { hostPorts: ['2222', '123/udp'], deniedNetworks: [] } } });
    await world.context.firewall.apply();
    expect((await check(world)).detail).toBe(
      'in force on incusbr0: of this host containers reach DNS, 2222/tcp, 123/udp; 0 networks denied',
    );
  });

  it('is a problem if the tables are not those of the settings', async () => {
    const edit = { 'inet containarium_incusbr0': 'table …', 'bridge containarium_incusbr0': 'table …' };
    const world = await host({ edit: (state) => void Object.assign(state.tables, edit) });
    expect(await check(world)).toMatchObject({ severity: 'problem', detail: expect.stringContaining('are not those') });
  });

  it('is a warning if the configuration turns the firewall off', async () => {
    const world = await host({ settings: { firewall: { enabled: false } } });
    expect(await check(world)).toMatchObject({ severity: 'warning' });
  });
});
