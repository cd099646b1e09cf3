/** Simulates systemctl(1) in a container, and what a masked unit changes. */
import { done, printed, refused } from '../program/answer.ts';
import type { Answer } from '../program/answer.ts';
import type { InstanceFiles, InstanceRecord } from '../state/state.ts';

const unitFolder = '/etc/systemd/system';

/** Units that every image has. */
const systemUnits: readonly string[] = [
  'containerd.service',
  'cron.service',
  'docker.service',
  'docker.socket',
  'halt.target',
  'multi-user.target',
  'poweroff.target',
  'reboot.target',
  'ssh.service',
  'ssh.socket',
  'systemd-journald.service',
  'systemd-networkd.service',
];

/** A mask is a link to /dev/null, which has no content. */
const mask = { content: '', mode: '0777', uid: 0, gid: 0 };

export function isMasked({ files }: Pick<InstanceRecord, 'files'>, unit: string): boolean {
  const path = `${unitFolder}/${unit}`;
  return Object.hasOwn(files, path) && files[path]?.content === '';
}

function exists(files: InstanceFiles, unit: string): boolean {
  return systemUnits.includes(unit) || Object.hasOwn(files, `${unitFolder}/${unit}`);
}

function unitNamed(word: string): string {
  return /\.[a-z]+$/.test(word) ? word : `${word}.service`;
}

/** Runs `systemctl`. Every unit of the image counts as active and enabled. */
export function systemctl(instance: InstanceRecord, args: readonly string[]): Answer {
  const [verb = '', ...words] = args.filter((argument) => !argument.startsWith('-'));
  const units = words.map(unitNamed);
  if (verb === 'is-system-running') return printed('running\n');
  const missing = units.find((unit) => !exists(instance.files, unit));
  switch (verb) {
    case 'is-active':
      return missing === undefined ? printed('active\n') : { ...printed('inactive\n'), exitCode: 3 };
    case 'is-enabled':
      return missing === undefined
        ? printed('enabled\n')
        : refused(1, `Failed to get unit file state for ${missing}: No such file or directory`);
    case 'enable':
    case 'disable':
      if (missing === undefined) return printed('');
      return refused(1, `Failed to ${verb} unit: Unit file ${missing} does not exist.`);
    case 'mask':
      for (const unit of units) instance.files[`${unitFolder}/${unit}`] = { ...mask };
      return done();
    default:
      return printed('');
  }
}
