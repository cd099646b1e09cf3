/** What an instance lacks of the configuration that keeps it apart. */
import { describe, expect, it } from 'vitest';
import { instance as document, type IncusInstance } from '../../../../src/host/incus/documents.ts';
import { isolationChange as changeOf, pendingIsolation } from '../../../../src/service/isolation/change.ts';
import { isolationConfig } from '../../../../src/service/isolation/config.ts';
import { makeNic } from '../../../../src/service/isolation/nic.ts';
import { checkSettings } from '../../../../src/settings/settings.ts';

const settings = checkSettings({ defaults: { processes: 3000 } }, 'of the test');
const shared = '[{"Isuid":true,"Isgid":false,"Hostid":1000000,"Nsid":0,"Maprange":1000000000}]';
const own = '[{"Isuid":true,"Isgid":false,"Hostid":1065536,"Nsid":0,"Maprange":65536}]';
const reason = 'it still has the user ids of other containers';

const instance = (config: Record<string, string>, status = 'Running'): IncusInstance =>
  document.parse({ name: 'alice-container', status, config });

const isolationChange = (found: IncusInstance, from = settings, hasAutorestart = true) =>
  changeOf(found, from, hasAutorestart);

describe('isolationChange', () => {
  it('is undefined for an instance that has all of it', () => {
    expect(isolationChange(instance(isolationConfig(2000)), settings)).toBeUndefined();
  });

  it('gives an instance of an earlier version all of it, with the limit from the settings', () => {
    expect(isolationChange(instance({ 'limits.cpu': '4' }), settings)).toEqual({
      config: { 'security.idmap.isolated': 'true', 'limits.processes': '3000', 'security.guestapi': 'false' },
      devices: {},
      missing: ['security.idmap.isolated', 'limits.processes', 'security.guestapi'],
      restartFor: [reason],
    });
  });

  it('lets an instance with autostart of an earlier version come back after it was killed', () => {
    const config = isolationConfig(2000);
    expect(isolationChange(instance({ ...config, 'boot.autostart': 'true' }), settings)?.config).toEqual({
      'boot.autorestart': 'true',
    });
    expect(isolationChange(instance({ ...config, 'boot.autostart': 'false' }), settings)).toBeUndefined();
    // Incus 6.0.0 does not know the option, and would refuse the whole change.
    expect(isolationChange(instance({ ...config, 'boot.autostart': 'true' }), settings, false)).toBeUndefined();
  });

  it('needs no restart of a stopped instance, nor for what Incus changes at once', () => {
    expect(isolationChange(instance({}, 'Stopped'), settings)?.restartFor).toEqual([]);
    const { 'security.idmap.isolated': isolated } = isolationConfig(1);
    const change = isolationChange(instance({ 'security.idmap.isolated': isolated ?? '' }), settings);
    expect(change?.missing).toEqual(['limits.processes', 'security.guestapi']);
    expect(change?.restartFor).toEqual([]);
  });

  it.each([
    ['limits.processes', '50000'],
    ['limits.processes', '500'],
    ['security.guestapi', 'true'],
    ['security.idmap.isolated', 'false'],
  ])('keeps %s=%s, which an admin has set', (key, value) => {
    expect(isolationChange(instance({ ...isolationConfig(2000), [key]: value }), settings)).toBeUndefined();
  });

  it('keeps what a profile sets', () => {
    const found = document.parse({
      name: 'a',
      status: 'Running',
      config: {},
      expanded_config: { 'limits.processes': '9000' },
    });
    expect(isolationChange(found, settings)?.config).not.toHaveProperty('limits.processes');
  });
});

/** A network interface as earlier versions made it. */
const unbound = { eth0: { type: 'nic', name: 'eth0', network: 'incusbr0', 'ipv4.address': '10.0.3.100' } };

describe('the network interface of an earlier version', () => {
  const made = (status: string): IncusInstance => ({ ...instance(isolationConfig(2000), status), devices: unbound });

  it('is bound to its address while the container is stopped', () => {
    expect(isolationChange(made('Stopped'), settings)).toEqual({
      config: {},
      devices: { eth0: makeNic('incusbr0', '10.0.3.100') },
      missing: ['the binding of eth0'],
      restartFor: [],
    });
    expect(pendingIsolation(made('Stopped'))).toEqual([]);
  });

  it('waits for a restart while the container runs', () => {
    expect(isolationChange(made('Running'), settings)).toBeUndefined();
    expect(pendingIsolation(made('Running'))).toEqual([
      'its network interface is not bound to its address, so the firewall does not know it',
    ]);
  });
});

describe('pendingIsolation', () => {
  it.each<[what: string, config: Record<string, string>, status: string, reasons: readonly string[]]>([
    ['a running instance with its own ids', { current: own, next: own }, 'Running', []],
    ['an instance whose ids change at its next start', { current: shared, next: own }, 'Running', [reason]],
    ['one that its guest calls ready', { current: shared, next: own }, 'Ready', [reason]],
    ['a stopped instance', { current: shared, next: own }, 'Stopped', []],
    ['an instance that was never started', { next: own }, 'Stopped', []],
    ['an instance without the ids at its next start', { current: own }, 'Running', []],
    ['ids that cannot be read', { current: 'x', next: own }, 'Running', []],
    ['the same ids in another layout', { current: own, next: own.replaceAll(',', ', ') }, 'Running', []],
  ])('says whether %s has to restart', (_, maps, status, reasons) => {
    const config = Object.fromEntries(Object.entries(maps).map(([name, value]) => [`volatile.idmap.${name}`, value]));
    expect(pendingIsolation(instance(config, status))).toEqual(reasons);
  });
});
