/** The links of a login that are in the container. Its root controls what they say. */
import { actorTitle } from '../../domain/access/actor.ts';
import { isFailure } from '../../domain/failure.ts';
import { formatExact, formatHuman, formatLimit } from '../../domain/values/size.ts';
import type { Username } from '../../domain/values/username.ts';
import { fingerprintOf } from '../../host/hostKey.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { ok, problem, warning, type Outcome } from '../checks/outcome.ts';
import { addressOf, toContainer } from '../instances/containers.ts';
import type { HostContext } from '../instances/context.ts';
import { containerKeysPath, containerKeysText } from '../instances/jumpAccount.ts';
import { decodeKeys, field, provisioningOf } from '../instances/metadata.ts';

/** How long to wait for a program in the container, in milliseconds. */
const insideMs = 10_000;

/** Share of the disk above which programs fail for want of space. */
const fullShare = 0.97;

/** Whether the container runs, and whether an operation is about to change that. */
export function checkState({ operations }: HostContext, user: Username, instance: IncusInstance): Outcome {
  const provisioning = provisioningOf(instance);
  if (provisioning !== 'ready') return problem(`an operation left it unfinished (${provisioning})`, '"reconcile"');
  if (instance.status !== 'Running')
    return problem(
      `the container is ${instance.status.toLowerCase()}`,
      instance.status === 'Stopped' ? `"start ${user}"` : `"restart ${user} --force"`,
    );
  const holder = operations.holder(user);
  return holder === undefined
    ? ok('running')
    : warning(`running; "${holder.verb}" by ${actorTitle(holder.actor)} is changing it at this moment`);
}

/** Whether the container has the address to which the account may jump. */
export function checkAddress(user: Username, instance: IncusInstance): Outcome {
  const wanted = addressOf(instance);
  const present = Object.values(instance.state?.network ?? {}).flatMap((nic) => nic.addresses ?? []);
  if (wanted !== null && present.some(({ address }) => address === wanted)) return ok(wanted);
  return problem(`it does not have its address ${wanted ?? ''}`.trimEnd(), `"restart ${user}"`);
}

/** Whether the sshd inside answers with the host key that clients were given. */
export async function checkInnerSshd(
  { keyscan }: HostContext,
  user: Username,
  instance: IncusInstance,
  signal: AbortSignal,
): Promise<Outcome> {
  const address = addressOf(instance);
  const wanted = instance.config[field.hostKey];
  const served = address === null ? undefined : await keyscan.hostKey(address, { signal });
  if (served === undefined)
    return problem('no sshd answers in the container', `"shell ${user}" opens a shell without it; "logs ${user}"`);
  if (wanted === undefined || served === wanted) return ok(`answers with ${fingerprintOf(served)}`);
  return problem(
    `its sshd has another host key, ${fingerprintOf(served)}, than clients were given`,
    `put the old key back with "shell ${user}", or with "snapshot restore ${user}" and a snapshot of "snapshot list ${user}"`,
  );
}

/** Whether the user exists inside. */
export async function checkUser(
  { incus }: HostContext,
  user: Username,
  { name }: IncusInstance,
  signal: AbortSignal,
): Promise<Outcome> {
  // getent(1): 2 for a key that is not in the database.
  const { exitCode } = await incus.exec(name, ['getent', 'passwd', user], {
    timeoutMs: insideMs,
    maxOutputBytes: 4096,
    allowExit: [0, 2],
    signal,
  });
  return exitCode === 0
    ? ok(`the user ${user} exists in it`)
    : problem(`the container has no user ${user}`, `"shell ${user}" opens a shell as root: useradd -m ${user}`);
}

/** Whether the sshd inside reads the user's keys. */
export async function checkInnerKeys(
  { incus }: HostContext,
  user: Username,
  { name, config }: IncusInstance,
  signal: AbortSignal,
): Promise<Outcome> {
  const path = containerKeysPath(user);
  const wanted = containerKeysText(decodeKeys(config[field.keys]));
  try {
    if ((await incus.pullFile(name, path, { signal })) === wanted) return ok('the same keys inside');
    return problem(`${path} in it does not have the keys of the user`, '"reconcile --apply"');
  } catch (error) {
    if (!isFailure(error, 'program-failed', 'unexpected-output')) throw error;
    return problem(`${path} in it cannot be read: ${error.why}`, `"shell ${user}"`);
  }
}

/** Whether there is room on the disk, without which sshd cannot write what it has to. */
export function checkDisk(user: Username, instance: IncusInstance): Outcome {
  const { diskUsedBytes: used, diskQuotaBytes: quota } = toContainer(instance);
  if (used === null || quota === null) return ok('no quota, or use not known');
  const text = `${formatHuman(used)} of ${formatLimit(quota)} used`;
  if (used < quota * fullShare) return ok(text);
  const larger = Math.ceil((quota * 1.25) / 1024 ** 3) * 1024 ** 3;
  return problem(`${text}: it is full`, `"resize ${user} --disk ${formatExact(larger)}"`);
}
