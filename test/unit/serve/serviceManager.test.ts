import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import type { Command, Runner } from '../../../src/host/runner.ts';
import { ServiceManager } from '../../../src/serve/serviceManager.ts';

describe('what the server tells systemd', () => {
  let said: Command[];
  const runner: Runner = {
    run: (command) => {
      said.push(command);
      return Promise.resolve({ stdout: '', stderr: '', exitCode: 0 });
    },
  };
  const args = (): string[] => said.map((command) => command.args.join(' '));

  beforeEach(() => {
    said = [];
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());

  it('is nothing where systemd does not listen', async () => {
    const manager = new ServiceManager({ WATCHDOG_USEC: '1000000' }, runner, expect.fail);
    await manager.ready('x');
    await vi.advanceTimersByTimeAsync(60_000);
    await manager.stopping();
    expect(said).toEqual([]);
  });

  it('is that it serves, twice in each watchdog interval that it lives, and that it stops', async () => {
    const manager = new ServiceManager({ NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '90000000' }, runner, expect.fail);
    await manager.ready('Listening on 0.0.0.0:2222');
    expect(args()).toEqual(['--ready --status=Listening on 0.0.0.0:2222']);
    await vi.advanceTimersByTimeAsync(90_000);
    expect(args().slice(1)).toEqual(['WATCHDOG=1', 'WATCHDOG=1']);
    await manager.stopping();
    await vi.advanceTimersByTimeAsync(90_000);
    expect(args().slice(3)).toEqual(['STOPPING=1']);
    expect(new Set(said.map(({ program }) => program))).toEqual(new Set(['systemd-notify']));
  });

  it('is no watchdog without an interval', async () => {
    await new ServiceManager({ NOTIFY_SOCKET: '/run/n' }, runner, expect.fail).ready('x');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(said).toHaveLength(1);
  });

  it('ends nothing if it cannot be said', async () => {
    const why: string[] = [];
    const broken: Runner = {
      run: () => Promise.reject(new Failure('program-missing', { what: '"systemd-notify"', why: 'it is missing' })),
    };
    const manager = new ServiceManager({ NOTIFY_SOCKET: '/run/n' }, broken, (text) => void why.push(text));
    await manager.ready('x');
    await manager.stopping();
    expect(why).toEqual(['"systemd-notify": it is missing', '"systemd-notify": it is missing']);
  });
});
