import { describe, expect, it } from 'vitest';
import { logLevels, makeLog } from '../../../../src/core/start/log.ts';
import { environment } from '../../../../src/docs/environment.ts';
import { failing } from '../../domain/failing.ts';

describe("core's log", () => {
  it('has the level that CONTAINARIUM_LOG names, or a usual one', () => {
    for (const level of logLevels) expect(makeLog({ CONTAINARIUM_LOG: level }).level).toBe(level);
    expect(makeLog({ JOURNAL_STREAM: '' }).level).toBe('warn');
  });

  it('refuses a level that does not exist', () => {
    expect(failing(() => makeLog({ CONTAINARIUM_LOG: 'verbose' }))).toMatchObject({
      code: 'settings',
      what: 'CONTAINARIUM_LOG="verbose"',
      next: 'set it to fatal, error, warn, info, debug, trace or silent',
    });
  });

  it('has its levels on the page of environment variables', () => {
    const meaning = environment.find(([name]) => name === 'CONTAINARIUM_LOG')?.[1] ?? '';
    for (const level of logLevels) expect(meaning).toContain(`\`${level}\``);
  });
});
