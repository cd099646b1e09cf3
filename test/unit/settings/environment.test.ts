import { expect, it } from 'vitest';
import { invokingUser, withoutEmpty } from '../../../src/settings/environment.ts';

it('invokingUser returns the person behind sudo, and passes over variables that are set to nothing', () => {
  const user = (env: NodeJS.ProcessEnv) => invokingUser(withoutEmpty(env));
  expect(user({ SUDO_USER: 'carla', USER: 'root', LOGNAME: 'root' })).toBe('carla');
  expect(user({ SUDO_USER: '', USER: 'dora', LOGNAME: 'root' })).toBe('dora');
  expect(user({ SUDO_USER: '', USER: '', LOGNAME: 'root' })).toBe('root');
  expect(user({ SUDO_USER: '', USER: '', LOGNAME: '' })).toBeUndefined();
});
