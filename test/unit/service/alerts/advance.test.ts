/** What begins and what is over, from one look at the conditions to the next. */
import { describe, expect, it } from 'vitest';
import { minuteMs } from '../../../../src/domain/values/duration.ts';
import { advance, type AlertState, type Finding, type Look } from '../../../../src/service/alerts/advance.ts';

const beganMs = Date.parse('2026-11-29T12:00:00.000Z');
const everyMs = 5 * minuteMs;

const full: Finding = { subject: 'default', severity: 'warning', text: 'the pool default is 91 % full' };
const found = (...findings: readonly Finding[]): Look => ({ code: 'pool-space', findings, settle: 3 });
const failed: Look = {
  code: 'pool-space',
  failure: { subject: 'pool-space', severity: 'problem', text: 'cannot tell how full the pools are: it is down' },
};

/** Runs rounds of looks, one every five minutes, and returns what each began and ended. */
function course(rounds: readonly (readonly Look[])[]): { readonly told: string[][]; readonly state: AlertState } {
  let state: AlertState = { open: [], over: [] };
  const told = rounds.map((looks, round) => {
    const now = new Date(beganMs + round * everyMs);
    const { state: after, begun, over } = advance(state, looks, now);
    state = after;
    return [...begun.map(({ code }) => `begun ${code}`), ...over.map(({ code }) => `over ${code}`)];
  });
  return { told, state };
}

const rounds = (count: number, ...looks: readonly Look[]): (readonly Look[])[] =>
  Array.from({ length: count }, () => looks);

describe('an alert', () => {
  it('is told once when it begins and once when three looks have not found it', () => {
    const { told } = course([...rounds(4, found(full)), ...rounds(4, found())]);
    expect(told).toEqual([['begun pool-space'], [], [], [], [], [], ['over pool-space'], []]);
  });

  it('keeps the time at which it began, and says what the newest look says', () => {
    const worse: Finding = { ...full, severity: 'problem', text: 'the pool default is 98 % full' };
    const { state } = course([[found(full)], [found(worse)]]);
    expect(state.open).toMatchObject([
      { since: '2026-11-29T12:00:00.000Z', severity: 'problem', text: 'the pool default is 98 % full' },
    ]);
  });

  it('lasts while fewer looks in a row have not found it', () => {
    const { told } = course([
      [found(full)],
      ...rounds(2, found()),
      [found(full)],
      ...rounds(2, found()),
      [found(full)],
    ]);
    expect(told.flat()).toEqual(['begun pool-space']);
  });

  it('has a subject, so that another one is another alert', () => {
    const { told, state } = course([[found(full)], [found(full, { ...full, subject: 'other' })]]);
    expect(told).toEqual([['begun pool-space'], ['begun pool-space']]);
    expect(state.open).toHaveLength(2);
  });

  it('that comes and goes takes longer to be over each time, up to sixteen times as long', () => {
    const flapping = [[found(full)], ...rounds(3, found())];
    const { told } = course(Array.from({ length: 60 }, () => flapping).flat());
    // Each pair of messages that gets through takes twice as long as the one before; soon no more do.
    expect(told.flat()).toEqual(['begun pool-space', 'over pool-space', 'begun pool-space']);
    const patient = course([...rounds(1, found(full)), ...rounds(3, found()), [found(full)], ...rounds(6, found())]);
    expect(patient.told.flat()).toEqual(['begun pool-space', 'over pool-space', 'begun pool-space', 'over pool-space']);
    expect(patient.told.at(-1)).toEqual(['over pool-space']);
  });

  it('that comes back after more than a day is as quick as the first time', () => {
    const before = course([[found(full)], ...rounds(3, found())]).state;
    const later = new Date(beganMs + 25 * 60 * minuteMs);
    const { state } = advance(before, [found(full)], later);
    expect(state.open).toMatchObject([{ returns: 0 }]);
    expect(state.over).toEqual([]);
  });

  it('is not over because nobody looked', () => {
    const { told } = course([[found(full)], ...rounds(20)]);
    expect(told.flat()).toEqual(['begun pool-space']);
  });

  it('has no text that a terminal or a mail would obey, and a bounded one', () => {
    const { state } = course([[found({ ...full, text: `\u001b[2J\r\nBcc: all${'x'.repeat(1000)}` })]]);
    expect(state.open[0]?.text).toMatch(/^\\u\{1b\}\[2J\\u\{d\}\\u\{a\}Bcc: all/);
    expect(state.open[0]?.text).toHaveLength(500);
  });

  it('does not begin when hundreds are open', () => {
    const many = Array.from({ length: 600 }, (_, number): Finding => ({ ...full, subject: `pool${number}` }));
    expect(course([[found(...many)]]).state.open).toHaveLength(500);
  });
});

describe('a look that failed', () => {
  it('ends nothing, and is an alert of its own when it fails twice', () => {
    const { told, state } = course([[found(full)], ...rounds(5, failed)]);
    expect(told).toEqual([['begun pool-space'], [], ['begun unknown'], [], [], []]);
    expect(state.open.map(({ code }) => code)).toEqual(['pool-space', 'unknown']);
  });

  it('is not told if the next one works', () => {
    const { told, state } = course([[failed], [found()], [failed], [found()]]);
    expect(told.flat()).toEqual([]);
    expect(state).toEqual({ open: [], over: [] });
  });

  it('is over with the first look that works', () => {
    const { told } = course([...rounds(2, failed), [found(full)]]);
    expect(told).toEqual([[], ['begun unknown'], ['begun pool-space', 'over unknown']]);
  });

  it('does not count as one that has not found the condition', () => {
    const { told } = course([[found(full)], [found()], [failed], [found()], [failed], [found()]]);
    expect(told).toEqual([['begun pool-space'], [], [], [], [], ['over pool-space']]);
  });
});
