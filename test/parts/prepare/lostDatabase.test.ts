import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formerBridgeAddress } from '../../../src/prepare/lostDatabase.ts';

describe('the address of a bridge that Incus has forgotten', () => {
  let folder: string;
  const line = (address: string): string =>
    `restrict,port-forwarding,permitopen="${address}:22" ssh-ed25519 AAAA comment\n`;
  const write = (user: string, ...addresses: string[]): Promise<void> =>
    writeFile(join(folder, user), addresses.map(line).join(''));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-keys-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is that of the network in which all jump accounts have their containers', async () => {
    await write('alice', '10.64.3.7', '10.64.3.7');
    await write('bob', '10.64.15.250');
    await write('carol');
    expect(await formerBridgeAddress(folder)).toBe('10.64.3.1/20');
  });

  it('is unknown if they have none, or differ', async () => {
    expect(await formerBridgeAddress(join(folder, 'nosuch'))).toBeUndefined();
    expect(await formerBridgeAddress(folder)).toBeUndefined();
    await write('alice', '10.64.3.7');
    await write('bob', '10.65.3.7');
    expect(await formerBridgeAddress(folder)).toBeUndefined();
  });
});
