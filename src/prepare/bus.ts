/** D-Bus, which the installed service needs to start its front (src/core/processes/unitStarter.ts). */
import { access } from 'node:fs/promises';
import { hasSystemd } from './daemon.ts';
import { run, succeeds } from './programs.ts';

const units = ['dbus.socket', 'dbus.service'];

/** Reports whether systemd runs here without D-Bus. */
export async function lacksBus(): Promise<boolean> {
  // Check the socket and not the package: other packages provide it too (dbus-broker).
  const bus = access('/run/dbus/system_bus_socket').then(
    () => true,
    () => false,
  );
  return (await hasSystemd()) && !(await bus);
}

/**
 * Starts D-Bus where its package is installed and its socket is missing. systemd may count the socket as active
 * although its file is gone, for example after the package was removed and installed again (seen on Debian 12).
 */
export async function startBus(say: (line: string) => void): Promise<void> {
  if (!(await lacksBus()) || !(await succeeds('systemctl', ['cat', 'dbus.socket']))) return;
  say('Starting dbus.socket');
  await run('systemctl', ['stop', ...units], { allowExit: 'any' });
  await run('systemctl', ['start', 'dbus.socket']);
}
