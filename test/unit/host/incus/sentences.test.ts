import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { inSentences } from '../../../../src/host/incus/sentences.ts';
import { checked } from '../../../../src/host/runner.ts';

/** Returns the failure of the client for what it printed. */
function failedWith(stderr: string): Failure {
  try {
    checked({ program: 'incus', args: ['create'], timeoutMs: 1 }, { stdout: '', stderr, exitCode: 1 });
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error('it did not fail');
}

/** Words that only Incus and its language have. */
const raw = /^Failed |dial tcp|exit status|lookup |forkstart|couldn't/;

describe('an error of Incus', () => {
  it.each([
    ['Error: Failed creating instance: write /x: no space left on device', 'there is no space left for it'],
    [
      'Error: Failed getting image: Get "https://x": lookup x: Temporary failure in name resolution',
      'the name of a server that it needs cannot be resolved',
    ],
    ['Error: Get "https://x": dial tcp 192.0.2.1:443: i/o timeout', 'a server that it needs cannot be reached'],
    [
      'Error: Failed to fetch instance "a" in project "default": Instance not found',
      'Incus no longer has this container',
    ],
    ['Error: Failed to run: incusd forkstart a-container /x: exit status 1', 'the container does not start'],
    [
      'Error: Failed creating instance record: This "instances" entry already exists',
      'Incus already has one of this name',
    ],
    ['Error: Failed a thing: Failed another: It is Tuesday', 'Incus says: It is Tuesday'],
    ['Error: simulated fault', 'Incus says: simulated fault'],
  ])('is a sentence with a next step, and the original in the details: %s', (stderr, why) => {
    const failure = inSentences(failedWith(stderr));
    expect(failure).toMatchObject({ code: 'program-failed', why, details: { stderr } });
    expect(failure.next).toBeTruthy();
    expect(failure.why).not.toMatch(raw);
  });

  it('keeps the next step of the place that knows one', () => {
    const stopped = new Failure('program-failed', { ...failedWith('Error: x').toData(), next: 'add --force' });
    expect(inSentences(stopped)).toMatchObject({ why: 'Incus says: x', next: 'add --force' });
  });

  it('is not what other programs say, nor what this one does', () => {
    for (const failure of [
      new Failure('program-failed', { what: '"useradd"', why: 'x', details: { program: 'useradd', stderr: 'x' } }),
      new Failure('program-failed', { what: 'base image "a"', why: 'ours', details: { stderr: 'Error: x' } }),
      new Failure('timeout', { what: '"incus create"', why: 'x', details: { program: 'incus' } }),
    ])
      expect(inSentences(failure)).toBe(failure);
  });
});
