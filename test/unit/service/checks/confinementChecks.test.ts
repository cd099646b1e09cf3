/** The check of AppArmor, on a simulated host that stands for a real one, with /proc and /sys in a folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkAppArmor } from '../../../../src/service/checks/confinementChecks.ts';
import { createContainer } from '../../../../src/service/create.ts';
import { alice, callBy, hosts } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey(alice)] }, callBy());
});
const signal = new AbortController().signal;
const name = 'alice-container';
const profile = `incus-${name}_</var/lib/incus>//&:incus-${name}_<var-lib-incus>:unconfined (enforce)`;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'containarium-apparmor-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

async function checked(files: (pid: number) => Readonly<Record<string, string>>) {
  const { context } = await host();
  const pid = (await context.incus.instance(name))?.state?.pid ?? 0;
  expect(pid).toBeGreaterThan(0);
  for (const [path, text] of Object.entries(files(pid))) await put(path, text);
  return checkAppArmor({ ...context, host: { ...context.host, simulated: false } }, signal, root);
}

const enabled = { 'sys/module/apparmor/parameters/enabled': 'Y\n' };

describe('the check of AppArmor', () => {
  it('is a warning if the kernel has none, or has it off', async () => {
    const alone = 'containers are confined by user namespaces only';
    expect(await checked(() => ({}))).toMatchObject({
      severity: 'warning',
      detail: `the kernel has no AppArmor: ${alone}`,
    });
    const off = { 'sys/module/apparmor/parameters/enabled': 'N\n', 'sys/kernel/security/lsm': 'lockdown,yama' };
    expect(await checked(() => off)).toMatchObject({
      severity: 'warning',
      detail: `the kernel has no AppArmor (security modules: lockdown, yama): ${alone}`,
    });
  });

  it.each(['attr/apparmor/current', 'attr/current'])(
    "is ok if the profile of Incus confines a container's init (%s)",
    async (file) => {
      expect(await checked((pid) => ({ ...enabled, [`proc/${pid}/${file}`]: `${profile}\n` }))).toMatchObject({
        severity: 'ok',
        detail: 'AppArmor confines all 1 running containers',
      });
    },
  );

  it.each([
    'unconfined',
    profile.replace('enforce', 'complain'),
    profile.replaceAll(name, 'bob-container'),
    'docker-default (enforce)',
  ])('is a problem if a container runs as "%s"', async (label) => {
    expect(await checked((pid) => ({ ...enabled, [`proc/${pid}/attr/current`]: `${label}\n` }))).toMatchObject({
      severity: 'problem',
      detail: `AppArmor is on, but does not confine ${name}`,
    });
  });

  it('does not claim anything about a container that has stopped meanwhile', async () => {
    expect(await checked(() => enabled)).toMatchObject({
      severity: 'ok',
      detail: 'AppArmor is on; no container runs, so none could be examined',
    });
  });

  it('is not used by the simulated host', async () => {
    expect(await checkAppArmor((await host()).context, signal, root)).toMatchObject({
      severity: 'ok',
      detail: 'not used by the simulated host',
    });
  });
});
