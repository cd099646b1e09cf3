/** Refuses machines on which the service could not run. */
import { Failure } from '../domain/failure.ts';
import { lacksBus } from '../prepare/bus.ts';
import { hasSystemd } from '../prepare/daemon.ts';

/** Throws `program-missing` if this machine does not run systemd. */
export async function requireSystemd(): Promise<void> {
  if (await hasSystemd()) return;
  throw new Failure('program-missing', {
    what: 'installing the service',
    why: 'this machine does not run systemd',
    next: 'sudo npm start in a checkout, which does not need it; or --program-only --root DIR, to install for another machine',
  });
}

/** Throws `program-missing` also without D-Bus, over which core starts its front (core/processes/unitStarter.ts). */
export async function requireSystemdAndBus(): Promise<void> {
  await requireSystemd();
  if (!(await lacksBus())) return;
  throw new Failure('program-missing', {
    what: 'installing the service',
    why: 'this machine does not run D-Bus, which the service needs to start its SSH server',
    next: 'sudo npm start -- --real, which installs it; or apt-get install dbus',
  });
}
