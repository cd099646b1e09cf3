/** The check of the bridge, on a simulated host with a container of alice. */
import { describe, expect, it } from 'vitest';
import { missingBridgeSettings } from '../../../../src/host/incus/bridgeSettings.ts';
import { checkMirror, checkNetwork } from '../../../../src/service/checks/incusChecks.ts';
import { createContainer } from '../../../../src/service/create.ts';
import type { HostState, InstanceRecord } from '../../../../src/simulated/state/state.ts';
import { alice, callBy, hosts } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import type { World } from '../../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice')] }, callBy());
});

const check = ({ context }: World) => checkNetwork(context, new AbortController().signal);
const configIn = (state: HostState): Record<string, string> =>
  state.networks.find(({ name }) => name === 'incusbr0')?.config ?? {};
const openBridge = (state: HostState): void => {
  delete configIn(state)['dns.mode'];
  delete configIn(state)['raw.dnsmasq'];
};
const addOther = (state: HostState): void => {
  const ours = state.instances['alice-container'];
  if (ours === undefined) throw new Error('the host has no container of alice');
  const eth0 = { type: 'nic', name: 'eth0', network: 'incusbr0' };
  const other: InstanceRecord = { ...ours, name: 'db', config: {}, devices: { ...ours.devices, eth0 }, run: null };
  state.instances['db'] = other;
};

describe('the check of the bridge', () => {
  it('is ok on a closed bridge with our containers', async () => {
    expect(await check(await host())).toMatchObject({ severity: 'ok', detail: expect.stringContaining('closed') });
  });

  it('warns before the addresses run out', async () => {
    const edit = (wanted: number) => (state: HostState) => {
      // 13 addresses for containers.
      const config = configIn(state);
      config['ipv4.address'] = '10.0.3.97/28';
      Object.assign(config, missingBridgeSettings(config));
      const ours = state.instances['alice-container'] ?? expect.fail('the host has no container of alice');
      for (let n = 1; n < wanted; n++) {
        const eth0 = { ...ours.devices['eth0'], 'ipv4.address': `10.0.3.${n === 1 ? 98 : 100 + n}` };
        state.instances[`c${n}`] = { ...ours, name: `c${n}`, devices: { ...ours.devices, eth0 }, run: null };
      }
    };
    expect(await check(await host({ edit: edit(10) }))).toMatchObject({ severity: 'ok' });
    expect(await check(await host({ edit: edit(11) }))).toMatchObject({
      severity: 'warning',
      detail: 'bridge incusbr0 10.0.3.97/28; 11 of its 13 addresses are taken',
      next: expect.stringContaining('docs/runbook.md'),
    });
  });

  it('names what an open bridge lacks, and what sets it', async () => {
    expect(await check(await host({ edit: openBridge }))).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('it lacks dns.mode and raw.dnsmasq'),
      next: 'containarium serve --real sets them',
    });
  });

  it('gives the command for an open bridge that other instances use', async () => {
    const edit = (state: HostState): void => {
      openBridge(state);
      addOther(state);
    };
    expect(await check(await host({ edit }))).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('because db use it too'),
      next: expect.stringMatching(
        /incus network set incusbr0 dns\.mode=none raw\.dnsmasq=\$'dhcp-ignore=tag:!known\\ndhcp-ignore-names\\n/,
      ),
    });
  });

  it('names an instance that gets no address on a closed bridge', async () => {
    expect(await check(await host({ edit: addOther }))).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('no DHCP for db'),
      next: expect.stringContaining('incus config device override db eth0'),
    });
  });

  it('names the hole that IPv6 makes', async () => {
    const edit = (state: HostState): void => void (configIn(state)['ipv6.address'] = 'fd42:1:2:3::1/64');
    expect(await check(await host({ edit }))).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('it has IPv6 too'),
      next: 'incus network set incusbr0 ipv6.address=none',
    });
  });
});

describe('the check of the event stream', () => {
  const present = { instances: [], memoryInUse: new Map(), measuredAt: new Date() };
  it.each([
    [{ isFollowed: false, trouble: null, present: undefined }, 'ok', 'lists ask Incus'],
    [{ isFollowed: true, trouble: null, present: undefined }, 'ok', 'lists ask Incus until it has answered'],
    [{ isFollowed: true, trouble: null, present }, 'ok', 'lists follow the events of Incus'],
    [
      { isFollowed: true, trouble: 'Incus: its event stream ended', present },
      'warning',
      'lists ask Incus until it can be followed again: Incus: its event stream ended',
    ],
  ])('says whether lists need not ask: %o', (mirror, severity, detail) => {
    expect(checkMirror({ mirror } as unknown as Parameters<typeof checkMirror>[0])).toMatchObject({ severity, detail });
  });
});
