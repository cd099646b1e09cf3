/** The steps that prepare the machine: Incus, sshd and the rest of `serve --real`, and fail2ban. */
import { writeFile, mkdir } from 'node:fs/promises';
import { exists } from '../prepare/files.ts';
import { Accounts } from '../host/accounts.ts';
import { ProgramRunner } from '../host/runner.ts';
import { hasContainers } from '../prepare/lostDatabase.ts';
import { install, missingPackages, updateLists } from '../prepare/packages.ts';
import { prepareHost, prepareSettings } from '../prepare/prepare.ts';
import type { InitialiseOptions } from '../prepare/initialise.ts';
import { run, succeeds } from '../prepare/programs.ts';
import { defaultHomes } from '../settings/home.ts';
import { readSettings } from '../settings/settings.ts';
import { fail2banFolder } from './program/layout.ts';
import type { Say, Step } from './step/step.ts';

/** Prepares the machine. `storage` is where Incus keeps containers, if not where it chooses itself. */
export function machineStep(say: Say, storage: InitialiseOptions['storage']): Step {
  const home = defaultHomes.system;
  return {
    survey: async () => {
      const { incus, others } = await missingPackages();
      const names = [...(incus ? ['incus'] : []), ...others];
      const { jump } = await readSettings(home.configuration, false);
      const hasGroup = (await new Accounts(new ProgramRunner()).groupId(jump.group)) !== undefined;
      return [
        ...(names.length === 0 ? [] : [`Install ${names.join(', ')}`]),
        ...(incus ? ['Set up Incus: a storage pool, a bridge and a profile'] : []),
        ...(await lostContainers(storage?.source)),
        ...(hasGroup ? [] : [`Create the group "${jump.group}", and restrict its accounts in sshd`]),
      ];
    },
    apply: async () => {
      await prepareHost({
        say,
        // Calling the installer is the consent.
        ask: () => Promise.resolve(true),
        offer: () => Promise.resolve(true),
        settings: {
          ...prepareSettings(await readSettings(home.configuration, false), home),
          ...(storage === undefined ? {} : { storage }),
        },
      });
    },
  };
}

/** Returns what would be done about containers that Incus does not know, because its database is lost. */
async function lostContainers(source: string | undefined): Promise<string[]> {
  if (source === undefined || !(await succeeds('incus', ['admin', 'waitready', '--timeout', '60']))) return [];
  const { stdout } = await run('incus', ['storage', 'list', '--format', 'csv', '--columns', 'n']);
  const isLost = stdout.trim() === '' && (await hasContainers(source));
  return isLost ? [`Have Incus take over the containers in ${source}: its database is lost`] : [];
}

const fail2banPackages = ['fail2ban', 'python3-systemd'];
const hostJail = `${fail2banFolder}/jail.d/containarium-host.conf`;

/** Debian 12's own jail for sshd reads a file that only rsyslog writes, and its bans need iptables. */
const hostJailText = `# Written by containarium install: Debian's own settings need rsyslog and iptables.
[DEFAULT]
banaction = nftables-multiport

[sshd]
enabled = true
backend = systemd
`;

/** Installs fail2ban, which bans addresses at the host's own sshd and at port 2222. An existing one is left alone. */
export function fail2banStep(say: Say): Step {
  const missing = async (): Promise<boolean> => !(await exists(fail2banFolder));
  return {
    survey: async () => ((await missing()) ? ['Install fail2ban'] : []),
    apply: async () => {
      if (!(await missing())) return;
      await updateLists(say);
      say(`Installing ${fail2banPackages.join(', ')}`);
      // Its service starts with the installation and must find these settings.
      await mkdir(`${fail2banFolder}/jail.d`, { recursive: true });
      await writeFile(hostJail, hostJailText, { mode: 0o644 });
      await install(fail2banPackages);
    },
  };
}
