/** The checks of what keeps containers apart, on a simulated host with the containers of alice and bob. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseIdRanges } from '../../../../src/host/subordinateIds.ts';
import { checkIsolation, checkKernel, checkSubordinateIds } from '../../../../src/service/checks/isolationChecks.ts';
import { createContainer } from '../../../../src/service/create.ts';
import type { HostContext } from '../../../../src/service/instances/context.ts';
import { reconcile } from '../../../../src/service/reconcile.ts';
import type { HostState } from '../../../../src/simulated/state/state.ts';
import { alice, bob, callBy, hosts } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  for (const user of [alice, bob]) await createContainer(world.context, { user, keys: [newKey(user)] }, callBy());
});
const { signal } = new AbortController();

const older = (state: HostState): void => {
  const config = state.instances['alice-container']?.config ?? {};
  delete config['security.idmap.isolated'];
  config['volatile.idmap.current'] = config['volatile.idmap.next'] = '[]';
};
const real = (context: HostContext): HostContext => ({ ...context, host: { ...context.host, simulated: false } });

describe('the check of isolation', () => {
  it('is ok if all containers have all of it', async () => {
    const { context } = await host();
    expect(await checkIsolation(context, signal)).toMatchObject({
      severity: 'ok',
      detail: '2 containers with ids of their own, a process limit and no guest API',
    });
  });

  it('asks for reconcile, then for the restart, until nothing is left', async () => {
    const world = await host({ edit: older });
    const { context } = world;
    expect(await checkIsolation(context, signal)).toMatchObject({
      severity: 'warning',
      detail: '1 of 2 containers lack configuration that keeps them apart from the others',
      next: '"reconcile --apply" sets it',
    });
    await reconcile(context, { apply: true }, callBy());
    expect(await checkIsolation(context, signal)).toMatchObject({ severity: 'warning', next: '"restart alice"' });
    await world.must('restart', { user: 'alice' });
    expect(await checkIsolation(context, signal)).toMatchObject({ severity: 'ok' });
  });
});

describe('the check of subordinate ids', () => {
  it.each<[what: string, text: string, severity: string, next: RegExp | null]>([
    ['the range of a package', 'root:1000000:1000000000\n', 'ok', null],
    ['no range', 'bob:100000:65536\n', 'problem', /serve --real/],
    ['room for 100', 'root:100000:6684673\n', 'warning', /serve --real/],
    ['room for the two and few more', 'root:100000:720896\n', 'problem', /serve --real/],
    ['no room, and none beside it', 'root:100000:65536\nbob:165536:65536\n', 'problem', /give root one range/],
    ['several ranges', 'root:100000:65536\nroot:1000000:99999999\n', 'problem', /give root one range/],
  ])('judges %s by the containers that exist', async (_, text, severity, next) => {
    const { context } = await host();
    const ranges = parseIdRanges(text);
    const outcome = await checkSubordinateIds(real(context), signal, () =>
      Promise.resolve({ uids: ranges, gids: ranges }),
    );
    expect(outcome).toMatchObject({ severity, next: next === null ? null : (expect.stringMatching(next) as string) });
  });
});

describe('the check of the kernel', () => {
  const check = async (files: Record<string, string>): Promise<unknown> => {
    const root = await mkdtemp(join(tmpdir(), 'sys-'));
    try {
      await mkdir(join(root, 'kernel'));
      for (const [name, value] of Object.entries(files)) await writeFile(join(root, 'kernel', name), `${value}\n`);
      return await checkKernel(real((await host()).context), signal, root);
    } finally {
      await rm(root, { recursive: true });
    }
  };

  it('is ok with high limits', async () => {
    expect(await check({ pid_max: '4194304' })).toMatchObject({ severity: 'ok' });
  });

  it('warns of a low limit with its value', async () => {
    expect(await check({ pid_max: '32768', 'threads-max': '4194304' })).toMatchObject({
      severity: 'warning',
      detail: 'too low for 2 instances that share them: kernel.pid_max (32768)',
    });
  });

  it('finds a problem if the containers may have more processes than there are ids', async () => {
    expect(await check({ pid_max: '8000' })).toMatchObject({ severity: 'problem' });
  });
});
