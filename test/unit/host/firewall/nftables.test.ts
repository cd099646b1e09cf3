import { describe, expect, it } from 'vitest';
import { Nftables } from '../../../../src/host/firewall/nftables.ts';
import { tableName, type FirewallPlan } from '../../../../src/host/firewall/ruleset.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import type { Runner } from '../../../../src/host/runner.ts';
import { nft } from '../../../../src/simulated/network/nft.ts';
import { checked } from '../../../../src/host/runner.ts';
import { freshState } from '../../../../src/simulated/state/state.ts';

const plan: FirewallPlan = {
  bridge: 'incusbr0',
  gateway: '10.0.3.1/24',
  ipv6: false,
  nameservers: [],
  deniedNetworks: [],
  hostPorts: [],
  maxConnections: 100,
};

const setUp = () => {
  const state = freshState(0);
  const runner: Runner = {
    run: (command) =>
      Promise.resolve().then(() =>
        checked(
          command,
          nft.run({ state, nowMs: 0, emit: () => undefined }, { args: command.args, input: command.input ?? '' }),
        ),
      ),
  };
  return { state, nftables: new Nftables(runner) };
};

describe('the tables of nftables', () => {
  it('are missing, in force once loaded, and missing again without one of them', async () => {
    const { state, nftables } = setUp();
    expect(await nftables.state(plan)).toBe('missing');
    await nftables.load(plan);
    expect(await nftables.state(plan)).toBe('in force');
    delete state.tables[`inet ${tableName('incusbr0')}`];
    expect(await nftables.state(plan)).toBe('missing');
  });

  it('are outdated for another plan, and changed for it if this process has not loaded them', async () => {
    const { state, nftables } = setUp();
    await nftables.load(plan);
    expect(await nftables.state({ ...plan, maxConnections: 5 })).toBe('outdated');
    const next = setUp();
    next.state.tables = state.tables;
    expect(await next.nftables.state(plan)).toBe('in force');
    expect(await next.nftables.state({ ...plan, maxConnections: 5 })).toBe('changed');
  });

  it('are changed if somebody edits a rule, until they are loaded again', async () => {
    const { state, nftables } = setUp();
    await nftables.load(plan);
    const key = `bridge ${tableName('incusbr0')}`;
    state.tables[key] = (state.tables[key] ?? '').replace('ether type != { ip, arp } drop\n', '');
    expect(await nftables.state(plan)).toBe('changed');
    await nftables.load(plan);
    expect(await nftables.state(plan)).toBe('in force');
  });

  it('are gone once removed, also if they never existed', async () => {
    const { state, nftables } = setUp();
    await nftables.remove('incusbr0');
    await nftables.load(plan);
    await nftables.remove('incusbr0');
    expect(state.tables).toEqual({});
  });

  it('are not taken for missing if nft fails for another reason', async () => {
    const failure = new Failure('program-failed', {
      what: '"nft list"',
      why: 'Operation not permitted',
      details: { stderr: 'Operation not permitted (you must be root)' },
    });
    const nftables = new Nftables({ run: () => Promise.reject(failure) });
    await expect(nftables.state(plan)).rejects.toBe(failure);
  });
});
