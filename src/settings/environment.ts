/** Rules for reading environment variables. */

/** Returns the variables without those that are set to nothing: they count as unset, as in sudo(8) and login(1). */
export function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

/** Returns the name of the user who started this program; under sudo that is the person, not root. */
export function invokingUser(env: NodeJS.ProcessEnv): string | undefined {
  return env['SUDO_USER'] ?? env['USER'] ?? env['LOGNAME'];
}
