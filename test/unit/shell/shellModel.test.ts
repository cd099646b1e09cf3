import { describe, expect, it } from 'vitest';
import { alone } from '../../support/alone.ts';
import { hideKeys } from '../../../src/shell/model/hideKeys.ts';
import type { Item } from '../../../src/shell/items/item.ts';
import { ShellModel, type ShellModelOptions } from '../../../src/shell/model/shellModel.ts';

const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIJ1Yb2xk5i2sLFFs2FzzC7fZ4bQ2Sv6o8Q8Yh3F0kB1u';

describe('a shell', () => {
  it('refuses a line over its limit that came with the request, before it is shown, kept or parsed', async () => {
    const items: Item[] = [];
    const typed: string[] = [];
    const model = new ShellModel({
      actor: { name: 'alice', role: 'owner', entryPoint: 'self' },
      ui: { print: (item: Item) => items.push(item), changed: () => undefined },
      shells: { typed: (_: unknown, line: string) => typed.push(line) },
      membership: { shellId: '1' },
      share: alone,
    } as unknown as ShellModelOptions);
    expect(await model.run(`shell x${' '.repeat(32_700)}y`)).not.toBe(0);
    expect(items).toMatchObject([{ kind: 'failure', failure: { code: 'input-too-large' } }]);
    expect(typed).toEqual([]);
  });

  it('runs each pasted line in a turn of its own, counts it, and runs none after its end', async () => {
    const lines: string[] = [];
    const turns: (() => void)[] = [];
    let counted = 0;
    const model = new ShellModel({
      actor: { name: 'alice', role: 'admin', entryPoint: 'manage' },
      ui: { print: (item: Item) => item.kind === 'command' && lines.push(item.line), changed: () => undefined },
      shells: { typed: () => undefined },
      membership: { shellId: '1', leave: () => undefined },
      share: { spend: () => counted++, later: (act: () => void) => turns.push(act) },
    } as unknown as ShellModelOptions);
    model.runInOrder(['no1', 'no2', 'no3', 'no4']);
    for (const ran of [1, 2, 3]) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(lines).toHaveLength(ran);
      expect(turns).toHaveLength(1);
      if (ran === 3) model.end();
      turns.pop()?.();
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines).toEqual(['no1', 'no2', 'no3']);
    expect(counted).toBe(3);
    expect(model.isWorking).toBe(false);
  });
});

describe('hideKeys', () => {
  it.each([
    [`key add alice ssh-ed25519 ${key} alice@laptop`, 'key add alice ssh-ed25519 AAAAC3NzaC1l…h3F0kB1u alice@laptop'],
    [`create a --ssh-key "ssh-ed25519  ${key}"`, 'create a --ssh-key "ssh-ed25519  AAAAC3NzaC1l…h3F0kB1u"'],
    [`create a --ssh-key=ssh-ed25519 ${key}`, 'create a --ssh-key=ssh-ed25519 AAAAC3NzaC1l…h3F0kB1u'],
    [`say ${key}`, `say ${key}`],
  ])('shortens the key in %j', (line, shown) => {
    expect(hideKeys(line)).toBe(shown);
  });
});
