/** The journal records, log lines and counts of logins. Floods of rejected logins are in refusals.test.ts. */
import { pino } from 'pino';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AuthLog } from '../../../../src/core/records/authLog.ts';
import { LoginEvents } from '../../../../src/core/records/loginEvents.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import { refusalReasonNames } from '../../../../src/domain/access/refusal.ts';

const carol: Actor = {
  name: 'carol',
  role: 'operator',
  entryPoint: 'manage',
  fingerprint: 'SHA256:x',
  address: '192.0.2.1',
  login: '01',
};
const root: Actor = { name: 'root', role: 'root', entryPoint: 'local', login: '02' };
const since = new Date(1_000_000);

let entries: Record<string, unknown>[];
let lines: Record<string, unknown>[];
let log: pino.Logger;
const counted = { login: vi.fn(), refusals: vi.fn() };

beforeEach(() => {
  counted.login.mockClear();
  counted.refusals.mockClear();
  entries = [];
  lines = [];
  log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
});

function events(
  append: (entry: Record<string, unknown>) => Promise<unknown> = (entry) => Promise.resolve(entries.push(entry)),
): LoginEvents {
  return new LoginEvents({ append, log, now: () => 1_005_000, counted });
}

describe('a login', () => {
  it('and its end are recorded, logged and counted', () => {
    const made = events();
    made.opened(carol, {
      method: 'publickey',
      algorithm: 'ssh-ed25519',
      transport: { keyExchange: 'k', hostKey: 'h', cipher: 'c' },
    });
    made.closed(carol, since, 'chief ended it');
    made.closed(carol, new Date(2_000_000), undefined);
    expect(entries).toMatchObject([
      {
        type: 'login',
        actor: { name: 'carol', login: '01' },
        by: { method: 'publickey', algorithm: 'ssh-ed25519', transport: { keyExchange: 'k' } },
      },
      { type: 'logout', actor: { name: 'carol', login: '01' }, durationMs: 5000, reason: 'chief ended it' },
      // The clock was set back meanwhile.
      { type: 'logout', durationMs: 0 },
    ]);
    expect(entries[2]).not.toHaveProperty('reason');
    expect(lines).toMatchObject([
      { event: 'login', login: '01' },
      { event: 'logout', durationMs: 5000, reason: 'chief ended it' },
      { event: 'logout' },
    ]);
    expect(counted.login).toHaveBeenCalledExactlyOnceWith(carol);
  });

  it('of root on the host is not recorded, logged or counted', () => {
    const made = events();
    made.opened(root, undefined);
    made.closed(root, since, 'over');
    expect([entries, lines]).toEqual([[], []]);
    expect(counted.login).not.toHaveBeenCalled();
  });

  it('that ends for a long reason is recorded with the first 300 characters of it', () => {
    events().closed(carol, since, 'x'.repeat(5000));
    expect(entries[0]?.['reason']).toBe('x'.repeat(300));
  });

  it('is allowed even if the journal cannot record it, and the log says so', async () => {
    const made = events(() => Promise.reject(new Error('no space left')));
    made.opened(carol, undefined);
    made.closed(carol, since, undefined);
    await vi.waitUntil(() => lines.length === 4);
    expect(lines.filter(({ level }) => level === 50)).toMatchObject([
      { record: 'login', why: expect.stringContaining('no space left') as string },
      { record: 'logout' },
    ]);
  });

  it('with an invalid proof is recorded and logged as rejected, with a known login name or "other"', async () => {
    const made = events();
    made.proofRejected('manage', '192.0.2.1');
    made.proofRejected('x\ny', '192.0.2.2');
    await made.settled();
    expect(counted.refusals).toHaveBeenCalledTimes(2);
    expect(lines.map(({ msg }) => msg)).toEqual([
      'authentication failure from 192.0.2.1 port 0 (manage): invalid proof of login',
      'authentication failure from 192.0.2.2 port 0 (other): invalid proof of login',
    ]);
    expect(entries).toMatchObject([{ type: 'refusals', count: 2, reasons: { proof: 2 } }]);
  });
});

it('the log has a line to ban by only for rejections that a guessed key or method causes', () => {
  const authLog = new AuthLog(log, () => 0);
  for (const reason of refusalReasonNames)
    authLog.report({ counted: [{ source: '192.0.2.1', reason, count: 1, ports: [1] }], others: {} });
  expect(lines.map(({ msg }) => String(msg).split(': ')[1])).toEqual([
    'no accepted key',
    'no accepted certificate',
    'invalid signature',
    'unsupported authentication method',
    'too many authentication attempts',
    'invalid proof of login',
  ]);
});
