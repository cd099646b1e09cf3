/** Simulates `incus console NAME --show-log`: what a container prints while it starts and stops. */
import { done, printed } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { pick } from '../state/deterministic.ts';
import { instanceNamed } from '../program/lookup.ts';
import type { InstanceRecord } from '../state/state.ts';

const ok = '[\u001b[0;32m  OK  \u001b[0m]';

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\r\n`).join('');
}

function osName({ files }: InstanceRecord): string {
  const release = Object.hasOwn(files, '/etc/os-release') ? files['/etc/os-release']?.content : undefined;
  return /^PRETTY_NAME="(.*)"$/m.exec(release ?? '')?.[1] ?? 'Linux';
}

/** Returns the console text from the start to the login prompt. It depends on the start, so that two starts differ. */
function bootText(instance: InstanceRecord, startedAtMs: number): string {
  const seconds = (0.4 + pick(`${instance.name} ${startedAtMs} boot`, 1200) / 1000).toFixed(3);
  const os = osName(instance);
  return lines([
    'systemd 255 running in system mode (simulated)',
    'Detected virtualization lxc.',
    'Detected architecture x86-64.',
    '',
    `Welcome to \u001b[1m${os}\u001b[0m!`,
    '',
    `Hostname set to <${instance.name}>.`,
    `${ok} Reached target \u001b[0;1;39mlocal-fs.target\u001b[0m - Local File Systems.`,
    `${ok} Started \u001b[0;1;39msystemd-journald.service\u001b[0m - Journal Service.`,
    `${ok} Reached target \u001b[0;1;39mnetwork.target\u001b[0m - Network.`,
    ...(instance.prepared ? [`${ok} Started \u001b[0;1;39mssh.service\u001b[0m - OpenBSD Secure Shell server.`] : []),
    `${ok} Reached target \u001b[0;1;39mmulti-user.target\u001b[0m - Multi-User System.`,
    `Startup finished in ${seconds}s at ${new Date(startedAtMs).toISOString()}.`,
    '',
    `${os} ${instance.name} console`,
    '',
  ]).concat(`${instance.name} login: `);
}

const shutdownText = lines([
  '',
  `${ok} Reached target \u001b[0;1;39mshutdown.target\u001b[0m - System Shutdown.`,
  'Sending SIGTERM to remaining processes...',
  'Sending SIGKILL to remaining processes...',
  'All filesystems, swaps, loop devices, MD devices and DM devices detached.',
  'Powering off.',
]);

/**
 * Returns the console log that can be read after an instance stops. If all of it was read and the stop adds nothing,
 * Incus keeps the whole log (observed).
 */
export function logAfterStop(instance: InstanceRecord, isForced: boolean): string {
  const { run } = instance;
  if (run === null) return '';
  const last = isForced ? '' : shutdownText;
  return run.consoleRead === true && last !== '' ? last : `${bootText(instance, run.startedAtMs)}${last}`;
}

/** Shows new console output of a running instance, and the saved log of a stopped one (incus 6.0.4, observed). */
export function showConsoleLog(world: World, name: string): Answer {
  const instance = instanceNamed(world, name);
  const { run } = instance;
  if (run === null) return printed(`${instance.consoleLog ?? ''}\n`);
  world.emit('instance-console-retrieved', name);
  if (run.consoleRead === true) return printed('\n');
  run.consoleRead = true;
  return done(`${bootText(instance, run.startedAtMs)}\n`);
}

/** Empties the console log, as a DELETE of it does. Of a running instance, that is the part that was not read. */
export function clearConsoleLog(world: World, name: string): Answer {
  const instance = instanceNamed(world, name);
  if (instance.run === null) instance.consoleLog = '';
  else instance.run.consoleRead = true;
  return done();
}
