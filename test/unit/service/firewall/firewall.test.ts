/** The firewall on a simulated host. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planFirewall } from '../../../../src/service/firewall/plan.ts';
import type { HostState } from '../../../../src/simulated/state/state.ts';
import { changesOf, hosts } from '../../../support/world/hosts.ts';
import { hostStateOf, type World } from '../../../support/world/world.ts';

const host = hosts((world) => world.context.accounts.ensureGroup('containarium-jump'));
const fileOf = ({ folder }: World): string => join(folder, 'firewall.nft');
const tablesOf = ({ folder }: World): string[] => Object.keys(hostStateOf(folder).tables).sort();

describe('the firewall', () => {
  it('denies the link-local networks and metadata services by default, and what the settings say instead', async () => {
    const { context } = await host();
    expect(await planFirewall(context)).toEqual({
      bridge: 'incusbr0',
      gateway: '10.0.3.1/24',
      ipv6: false,
      nameservers: ['10.0.3.1'],
      deniedNetworks: [
        '169.254.0.0/16',
        'fe80::/10',
        '168.63.129.16',
        '100.100.100.200',
        'fd00:ec2::254',
        'fd20:ce::254',
      ],
      hostPorts: [],
      maxConnections: 4096,
    });
    const firewall = { deniedNetworks: ['192.0.2.0/24'], hostPorts: ['2222', '123/udp'], maxConnections: 500 };
    expect(await planFirewall((await host({ settings: { firewall } })).context)).toMatchObject({
      deniedNetworks: ['192.0.2.0/24'],
      hostPorts: [
        { port: 2222, protocol: 'tcp' },
        { port: 123, protocol: 'udp' },
      ],
      maxConnections: 500,
    });
  });

  it('is in force once applied, and its file is what the next boot loads', async () => {
    const world = await host();
    const { firewall } = world.context;
    expect(await firewall.state()).toBe('missing');
    await firewall.apply();
    expect(await firewall.state()).toBe('in force');
    expect(tablesOf(world)).toEqual(['bridge containarium_incusbr0', 'inet containarium_incusbr0']);
    expect(readFileSync(fileOf(world), 'utf8')).toContain('table inet containarium_incusbr0 {');
  });

  it('is loaded again after another program removed it, and not otherwise', async () => {
    const world = await host();
    const { firewall } = world.context;
    await firewall.keep();
    const loads = (): number => changesOf(world).filter((line) => line.startsWith('nft -f')).length;
    expect(loads()).toBe(1);
    await firewall.keep();
    expect(loads()).toBe(1);
  });

  it('is loaded again if the bridge learns from reserved frames, as after a restart of Incus', async () => {
    const world = await host();
    const { firewall } = world.context;
    await firewall.apply();
    const edited = await host({ edit: (state) => void (state.tables = hostStateOf(world.folder).tables) });
    expect(await edited.context.firewall.state()).toBe('learning');
    await edited.context.firewall.keep();
    expect(await edited.context.firewall.state()).toBe('in force');
  });

  it('is removed with its file if the settings turn it off', async () => {
    const edit = (state: HostState): void => {
      for (const family of ['bridge', 'inet']) state.tables[`${family} containarium_incusbr0`] = 'table …';
    };
    const off = await host({ edit, settings: { firewall: { enabled: false } } });
    writeFileSync(fileOf(off), 'table …');
    await off.context.firewall.apply();
    expect(tablesOf(off)).toEqual([]);
    expect(existsSync(fileOf(off))).toBe(false);
    await off.context.firewall.keep();
    expect(tablesOf(off)).toEqual([]);
  });

  it('is not planned if Incus does not answer', async () => {
    const world = await host({ faults: [{ match: { program: 'incus' }, call: 1, repeat: true, mode: 'down' }] });
    await expect(world.context.firewall.apply()).rejects.toMatchObject({ code: 'incus-unavailable' });
    await expect(world.context.firewall.keep()).rejects.toMatchObject({ code: 'incus-unavailable' });
    expect(existsSync(fileOf(world))).toBe(false);
  });
});
