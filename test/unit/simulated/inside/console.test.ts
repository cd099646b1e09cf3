import { describe, expect, test } from 'vitest';
import { base, Clock, devices, failureOf, fixture } from '../support.ts';
import type { Fixture } from '../support.ts';

async function created(clock = new Clock()): Promise<Fixture & { clock: Clock }> {
  const made = fixture({ now: clock.now });
  await made.incus.create('alice-container', base, { config: {}, devices: devices() });
  return { ...made, clock };
}

const log = ['console', 'alice-container', '--show-log'];

describe('the console log', () => {
  test('is empty for a container that never started, and fails for an unknown container', async () => {
    const { run, say, incus } = await created();
    expect(await run('incus', log)).toEqual({ stdout: '\n', stderr: '', exitCode: 0 });
    expect(await incus.consoleLog('alice-container')).toBe('');
    expect(await say('incus', ['console', 'nosuch', '--show-log'])).toBe(
      '1 Error: Failed to fetch instance "nosuch" in project "default": Instance not found',
    );
    expect(await failureOf(incus.consoleLog('nosuch'))).toMatchObject({ code: 'not-found' });
  });

  test('returns new output of a running container only once, and consoleLog keeps it', async () => {
    const { run, incus } = await created();
    await incus.start('alice-container');
    const first = await incus.consoleLog('alice-container');
    expect(first).toMatch(/^systemd .*\n/);
    expect(first).toContain('Welcome to Debian GNU/Linux 12 (bookworm)!\n');
    expect(first).toContain('[  OK  ] Reached target multi-user.target - Multi-User System.\n');
    expect(first).toMatch(/\nalice-container login: $/);
    expect((await run('incus', log)).stdout).toBe('\n');
    expect(await incus.consoleLog('alice-container')).toBe(first);
  });

  test('differs between two starts', async () => {
    const { incus, clock } = await created();
    await incus.start('alice-container');
    const first = await incus.consoleLog('alice-container');
    clock.advance(60_000);
    await incus.restart('alice-container');
    const second = await incus.consoleLog('alice-container');
    expect(second).not.toBe(first);
    expect(second).toMatch(/^systemd/);
    expect(second.match(/Welcome/g)).toHaveLength(1);
  });

  test.each([
    ['cleanly', {}, /Powering off\.\n$/],
    ['by force', { force: true }, /login: $/],
  ])(
    'can be read repeatedly after the container stopped %s, whether or not it was read before',
    async (_how, options, end) => {
      const { incus, clock } = await created();
      for (const isRead of [true, false]) {
        clock.advance(60_000);
        await incus.start('alice-container');
        if (isRead) await incus.consoleLog('alice-container');
        await incus.stop('alice-container', options);
        const text = await incus.consoleLog('alice-container');
        expect(text).toMatch(/^systemd/);
        expect(text).toMatch(end);
        expect(text.match(/Welcome/g)).toHaveLength(1);
        expect(await incus.consoleLog('alice-container')).toBe(text);
      }
    },
  );

  test('needs --show-log: incus console without it asks for a terminal', async () => {
    const { say } = await created();
    expect(await say('incus', ['console', 'alice-container'])).toBe('1 Error: inappropriate ioctl for device');
  });
});
