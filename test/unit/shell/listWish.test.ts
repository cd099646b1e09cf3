import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import type { FeedContainer } from '../../../src/domain/events/notice.ts';
import { listRequest, narrowed } from '../../../src/shell/model/listRequest.ts';

const container = (user: string, status: 'running' | 'stopped', labels: Record<string, string> = {}): FeedContainer =>
  ({ user, status, labels }) as never;
const all = [
  container('alice', 'running', { team: 'blue' }),
  container('bob', 'stopped', { team: 'blue' }),
  container('carol', 'running'),
];
const update = { whole: false, changed: all, removed: ['dora'], measuredAt: null, stale: null };

describe('list --watch', () => {
  it.each([
    [{}, ['alice', 'bob', 'carol']],
    [{ state: 'all' }, ['alice', 'bob', 'carol']],
    [{ state: 'running' }, ['alice', 'carol']],
    [{ user: 'bob' }, ['bob']],
    [{ labels: ['team=blue'], state: 'running' }, ['alice']],
    [{ labels: ['team'] }, ['alice', 'bob']],
    [{ labels: ['team=red'] }, []],
  ])('with %j', (input, users) => {
    const { changed, removed } = narrowed(listRequest(input), update);
    expect(changed.map(({ user }) => user)).toEqual(users);
    // What does not fit, perhaps since this update, is taken out.
    expect(removed).toEqual(['dora', ...all.map(({ user }) => user).filter((user) => !users.includes(user))]);
  });

  it('refuses what list refuses', () => {
    expect(() => listRequest({ sort: 'nothing' })).toThrow(Failure);
    expect(() => listRequest({ user: 'Not A Name' })).toThrow(Failure);
    expect(listRequest({ sort: '-memory' }).sort).toBe('-memory');
  });
});
