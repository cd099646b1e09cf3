/** `containarium install`, which install.sh of a release runs: from a bare system to a running jump host. */
import { join } from 'node:path';
import { exists } from '../prepare/files.ts';
import { Failure } from '../domain/failure.ts';
import { readOsRelease, supportedRelease } from '../prepare/release.ts';
import { requireZfs, zfsWorks } from '../prepare/zfs.ts';
import { packageRoot } from '../domain/packageRoot.ts';
import { defaultHomes } from '../settings/home.ts';
import { readSettings } from '../settings/settings.ts';
import { readInstallArguments, readRecoverArguments, type InstallArguments } from './arguments.ts';
import { dataDiskStep } from './dataDisk/dataDisk.ts';
import { incusPoolSource } from './dataDisk/names.ts';
import { fail2banStep, machineStep } from './machineStep.ts';
import { placeRelease, pruneReleases, releaseInUse } from './program/programFiles.ts';
import { installersUmask } from './program/layout.ts';
import { putInUse } from './program/putInUse.ts';
import { programStep } from './programStep.ts';
import { releaseIn, verifyRelease, type Release } from './program/release.ts';
import { serverStep } from './serverStep.ts';
import { requireSystemd, requireSystemdAndBus } from './requirements.ts';
import { isServiceActive } from './program/service.ts';
import { onlyInstaller } from './step/onlyInstaller.ts';
import { surveyAll, type Say, type Step } from './step/step.ts';
import { uninstall } from './uninstall.ts';

/** Runs `containarium install`. Resolves with the exit code. */
export async function install(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return run(readInstallArguments(words), env);
}

/** Runs `containarium recover`: takes over a data disk. Resolves with the exit code. */
export async function recover(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return run(readRecoverArguments(words), env);
}

async function run(args: InstallArguments, env: NodeJS.ProcessEnv): Promise<number> {
  process.umask(installersUmask);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && args.root === '/')
    throw new Failure('denied', {
      what: 'installing a service',
      why: 'only root can do that',
      next: 'run it with sudo',
    });
  const changesMachine = args.root === '/' && !args.check;
  const work = (): Promise<number> => carryOut(args, env, say);
  return changesMachine ? onlyInstaller(work) : work();
}

async function carryOut(args: InstallArguments, env: NodeJS.ProcessEnv, say: Say): Promise<number> {
  if (args.uninstall) {
    await uninstall(say, { check: args.check });
    return 0;
  }
  const release = await releaseIn(packageRoot);
  await verifyRelease(release.folder);
  if (args.programOnly) {
    if (args.root === '/') await requireSystemdAndBus();
    await installProgram(release, args.root, say);
    return 0;
  }
  await requireSystemd();
  const steps = await stepsOf(args, release, env, say);
  if (args.check) return check(steps, say);
  for (const step of steps) await step.apply();
  await sayHowToLogIn(args, say);
  return 0;
}

/** The steps in their order: each may need what those before it have made. */
async function stepsOf(args: InstallArguments, release: Release, env: NodeJS.ProcessEnv, say: Say): Promise<Step[]> {
  const os = supportedRelease(await readOsRelease());
  const { dataDisk: device, hostname, admins } = args;
  const disk =
    device === undefined
      ? []
      : [dataDiskStep({ device, say, hasZfs: zfsWorks, installZfs: () => requireZfs({ release: os, say }) })];
  return [
    ...disk,
    serverStep({
      say,
      env,
      ...(hostname === undefined ? {} : { hostname }),
      admins,
    }),
    machineStep(say, device === undefined ? undefined : { driver: 'zfs', source: incusPoolSource }),
    fail2banStep(say),
    programStep(release, say),
  ];
}

/** Says what would be changed. Resolves with the exit code: 0 also if there is something to do. */
async function check(steps: readonly Step[], say: Say): Promise<number> {
  const changes = await surveyAll(steps);
  if (changes.length === 0) say('Everything is installed. Nothing would be changed.');
  else say(['Nothing was changed. The installation would:', ...changes.map((change) => `  - ${change}`)].join('\n'));
  return 0;
}

/** Installs the program and its units below a root, and starts nothing. */
async function installProgram(release: Release, root: string, say: Say): Promise<void> {
  const before = await releaseInUse(root);
  const name = await placeRelease(root, release);
  await putInUse(root, name);
  // A running server still uses its files until it is restarted. The same release once more takes no place.
  if (name !== before) await pruneReleases(root, [name, before]);
  say(`Installed version ${release.version}${root === '/' ? '' : ` below ${root}`}`);
  if (root !== '/') return;
  say(
    (await isServiceActive())
      ? 'Next: systemctl restart containarium, which waits for running operations'
      : 'Next: systemctl enable --now containarium',
  );
}

async function sayHowToLogIn({ hostname }: InstallArguments, say: Say): Promise<void> {
  const home = defaultHomes.system;
  const { listen, jump } = await readSettings(home.configuration, false);
  const host = jump.hostname ?? hostname ?? '<this machine>';
  const made = join(home.keys, 'admin_ed25519');
  const identity = (await exists(home.firstAdmins)) || !(await exists(made)) ? '' : ` -i ${made}`;
  say(`\nThe jump host is ready. Log in as an admin, with port ${listen.port} open to you:\n`);
  say(`  ssh -p ${listen.port}${identity} manage@${host}`);
}
