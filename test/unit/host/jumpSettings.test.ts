import { expect, it } from 'vitest';
import { jumpSettingFaults, jumpSettings } from '../../../src/host/jumpSettings.ts';
import { renderSshdDropIn } from '../../../src/prepare/sshdDropIn.ts';

const folder = '/srv/a b/100%/';

/** What `sshd -T` prints for a jump account when the drop-in is in force (OpenSSH 9.2: it removes quotes). */
function inForce(): Map<string, string> {
  const block = renderSshdDropIn({ group: 'jump', authorizedKeysFolder: folder }).split(/^Match .*\n/m)[1] ?? '';
  return new Map(
    block
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const [keyword = '', ...value] = line.split(' ');
        return [keyword.toLowerCase(), value.join(' ').replaceAll('"', '')];
      }),
  );
}

it('jumpSettingFaults finds none when the drop-in is in force, whatever its folder is called', () => {
  expect(jumpSettingFaults(inForce(), folder)).toEqual([]);
});

it('jumpSettingFaults finds each setting that is missing or another one', () => {
  for (const [keyword, value] of jumpSettings(folder).flatMap(({ settings }) => settings)) {
    const changed = inForce().set(keyword.toLowerCase(), 'other');
    expect(jumpSettingFaults(changed, folder)).toEqual([`${keyword} is "other", but must be "${value}"`]);
    changed.delete(keyword.toLowerCase());
    expect(jumpSettingFaults(changed, folder)).toEqual([`${keyword} is not set, but must be "${value}"`]);
  }
});
