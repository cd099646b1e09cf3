/** The steps that prepare the machine: Incus, sshd and the rest of `serve --real`, and fail2ban. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
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

/** netbase has /etc/services: without it, fail2ban cannot tell nft what the port of its jail for sshd is, "ssh". */
const fail2banPackages = ['fail2ban', 'python3-systemd', 'netbase'];

/** Debian 12's own jail for sshd reads a file that only rsyslog writes, and its bans need iptables. */
const hostJailText = `# Written by containarium install: Debian's own settings need rsyslog and iptables.
[DEFAULT]
banaction = nftables-multiport

[sshd]
enabled = true
backend = systemd
`;

interface Fail2banMachine {
  readonly folder: string;
  /** Reports whether the program is there: its folder also is after an installation that failed. */
  readonly hasProgram: () => Promise<boolean>;
  readonly updateLists: (say: Say) => Promise<void>;
  readonly install: (names: readonly string[]) => Promise<void>;
}

const thisMachine: Fail2banMachine = {
  folder: fail2banFolder,
  hasProgram: () => succeeds('fail2ban-client', ['--version']),
  updateLists,
  install,
};

/** Installs fail2ban, which bans addresses at the host's own sshd and at port 2222. An existing one is left alone. */
export function fail2banStep(say: Say, machine: Fail2banMachine = thisMachine): Step {
  const missing = async (): Promise<boolean> => !(await machine.hasProgram());
  return {
    survey: async () => ((await missing()) ? ['Install fail2ban'] : []),
    apply: async () => {
      if (!(await missing())) return;
      await machine.updateLists(say);
      say(`Installing ${fail2banPackages.join(', ')}`);
      // Its service starts with the installation and must find these settings.
      const jails = join(machine.folder, 'jail.d');
      await mkdir(jails, { recursive: true });
      await writeFileAtomic(join(jails, 'containarium-host.conf'), hostJailText, { mode: 0o644 });
      await machine.install(fail2banPackages);
    },
  };
}
