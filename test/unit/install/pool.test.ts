import { expect, test } from 'vitest';
import { whyNotImported } from '../../../src/install/dataDisk/pool.ts';

test.each([
  [
    // Without -f, and with it.
    "cannot import 'containarium': pool is imported on machine (hostid: 0x49440381)\nExport the pool on the other system, then run 'zpool import'.",
    'in use',
  ],
  [
    "cannot import 'containarium': pool is imported on host 'machine' (hostid=49440381).\nExport the pool on the other system, then run 'zpool import'.",
    'in use',
  ],
  [
    "cannot import 'containarium': pool was previously in use from another system.\nLast accessed by machine (hostid=49440381) at Mon Nov 30 15:26:00 2026\nThe pool can be imported, use 'zpool import -f' to import the pool.",
    'not exported',
  ],
  ["cannot import 'containarium': no such pool available", undefined],
  ["cannot import 'containarium': one or more devices is currently unavailable", undefined],
])('what zpool says of a pool that it does not import: %s', (message, why) => {
  expect(whyNotImported(message)).toBe(why);
});
