import { describe, expect, it } from 'vitest';
import { diskLimits, networkLimits } from '../../../../src/service/instances/limits.ts';
import { checkSettings } from '../../../../src/settings/settings.ts';
import { failing } from '../../domain/failing.ts';

describe('the limits of new containers', () => {
  it('are none by default', () => {
    const { defaults } = checkSettings({}, 'test');
    expect([diskLimits(defaults), networkLimits(defaults)]).toEqual([{}, {}]);
  });

  it('are those of the settings, as Incus writes them', () => {
    const settings = { diskPriority: 0, egress: '200Mbit', ingress: '1Gbit' };
    const { defaults } = checkSettings({ defaults: settings }, 'test');
    expect(diskLimits(defaults)).toEqual({ 'limits.disk.priority': '0' });
    expect(networkLimits(defaults)).toEqual({ 'limits.egress': '200Mbit', 'limits.ingress': '1Gbit' });
  });

  it.each([
    { diskPriority: 11 },
    { diskPriority: -1 },
    { diskPriority: 1.5 },
    ...['200', '0Mbit', '1.5Mbit', '200MB', '200mbit', '10000000000bit', '', '200Mbit\n', 'limits.max'].map(
      (egress) => ({
        egress,
      }),
    ),
  ])('are refused if Incus would refuse them later: %j', (defaults) => {
    expect(failing(() => checkSettings({ defaults }, 'test')).code).toBe('settings');
  });
});
