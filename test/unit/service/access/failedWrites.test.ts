/** Two changes at the same time of a store whose file cannot be written: memory must match the disk after both. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withoutLimits } from '../../../../src/domain/keys/keyLimits.ts';
import { parseNetwork } from '../../../../src/domain/values/network.ts';
import { AdminStore } from '../../../../src/service/access/adminStore.ts';
import { BanStore } from '../../../../src/service/access/banStore.ts';
import { CaStore } from '../../../../src/service/access/caStore.ts';
import { CertificateStore } from '../../../../src/service/certificates/certificateStore.ts';
import { newKey } from '../../../support/world/keys.ts';

interface Store {
  readonly change: (name: string) => Promise<unknown>;
  readonly names: () => readonly string[];
}

const at = new Date('2026-11-24T12:00:00Z');

const stores: Readonly<Record<string, (path: string) => Promise<Store>>> = {
  async admins(path) {
    const store = await AdminStore.open(path);
    return {
      change: (name) => store.add(name, { keys: withoutLimits([newKey(name)]), role: 'admin' }, 'carol', at),
      names: () => store.all.map(({ name }) => name),
    };
  },
  async CAs(path) {
    const store = await CaStore.open(path);
    return {
      change: (name) => store.add(name, ['manage'], newKey(name), 'carol', at),
      names: () => store.list().map(({ name }) => name),
    };
  },
  async bans(path) {
    const store = await BanStore.open(path, { now: () => at, maxPenaltyMs: 1, onTrouble: () => undefined });
    const networks = ['192.0.2.1', '192.0.2.2'];
    return {
      change: () => store.add(parseNetwork(networks.pop() ?? ''), { forMs: undefined, reason: undefined, by: 'carol' }),
      names: () => store.list().map(({ network }) => network),
    };
  },
  async certificates(path) {
    const store = await CertificateStore.open(`${path}.certificates`, path);
    return {
      change: (serial) =>
        store.add(
          'carol',
          { certificate: '', key: '', serial, notBefore: at, notAfter: new Date('2026-12-24T12:00:00Z') },
          'carol',
          at,
        ),
      names: () => store.issued.map(({ serial }) => serial),
    };
  },
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-stores-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it.each(Object.entries(stores))('the store of %s keeps nothing of two changes that both fail', async (_, open) => {
  const path = join(folder, 'state.json');
  const { change, names } = await open(path);
  await mkdir(path);
  const answers = await Promise.allSettled([change('one'), change('two')]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(names()).toEqual([]);
});
