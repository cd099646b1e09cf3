import { expect, test } from 'vitest';
import { withoutNames } from '../../../src/prepare/bridge.ts';

test('the leases of dnsmasq lose their names and nothing else', () => {
  const leases =
    '1764376000 10:66:6a:00:00:01 10.0.3.100 bob-container ff:01:02\n' +
    '1764376001 10:66:6a:00:00:02 10.0.3.101 * *\n' +
    'duid 00:01:00:01\n' +
    '1764376002 1234 fd42::5 carol 00:01:00:02\n';
  expect(withoutNames(leases)).toBe(leases.replace('bob-container', '*').replace('carol', '*'));
  expect(withoutNames('')).toBe('');
});
