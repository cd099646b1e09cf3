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
  ])('with the options %j shows only the selected containers', (input, users) => {
    const { changed, removed } = narrowed(listRequest(input), update);
    expect(changed.map(({ user }) => user)).toEqual(users);
    // A container that does not match counts as removed, because it may have matched before.
    expect(removed).toEqual(['dora', ...all.map(({ user }) => user).filter((user) => !users.includes(user))]);
  });

  it('refuses the same options as list', () => {
    expect(() => listRequest({ sort: 'nothing' })).toThrow(Failure);
    expect(() => listRequest({ user: 'Not A Name' })).toThrow(Failure);
    expect(listRequest({ sort: '-memory' }).sort).toBe('-memory');
  });
});
