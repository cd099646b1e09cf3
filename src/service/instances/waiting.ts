/** Waits for a container, by polling with growing pauses: neither its network nor its sshd can announce itself. */
import { throwIfCancelled } from '../../domain/cancellation.ts';
import { Failure } from '../../domain/failure.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import { portOf } from '../../host/firewall/ports.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { PortAnswer, SshPort } from '../../host/sshPort.ts';
import { addressOf } from './containers.ts';
import type { Call, HostContext } from './context.ts';
import { field } from './metadata.ts';

const firstPauseMs = 40;
const maxPauseMs = 500;
/** The longest pause between two tries of a port, which cost almost nothing. */
const maxKnockPauseMs = 25;
/**
 * How long a try waits for a connection, in milliseconds. A container on this host answers within one; where it has not
 * for some seconds, the host may be too busy for that.
 */
const connectMs = { first: 50, later: 1000, laterAfter: 5000 } as const;
/** How long its sshd may take for a key exchange, in seconds. */
const hostKeySeconds = 10;
/** How often Incus is asked meanwhile whether the container still runs. */
const lookMs = 1000;

/** Calls `poll` until it returns a value; rejects with `timeout` after `limitMs`. */
export async function waitFor<T>(
  what: string,
  limitMs: number,
  poll: () => Promise<T | undefined>,
  why: () => string,
  pauseLimitMs = maxPauseMs,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  let pauseMs = Math.min(firstPauseMs, pauseLimitMs);
  for (;;) {
    throwIfCancelled();
    const value = await poll();
    if (value !== undefined) return value;
    if (performance.now() > deadline) {
      throw new Failure('timeout', { what, why: `${why()} within ${durationInWords(limitMs)}` });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(pauseMs * 1.5, pauseLimitMs);
  }
}

/** Waits until the instance that has just been started has its address on `bridge`. */
export async function waitForNetwork(
  context: HostContext,
  instance: string,
  { address, bridge }: { readonly address: string; readonly bridge: string },
): Promise<void> {
  const { sshPort } = context;
  if (sshPort === undefined) return waitForAddress(context, instance, address);
  // Without it the wait takes longer, and ends all the same.
  await sshPort.introduce(address, portOf(address).mac, bridge).catch((error: unknown) => {
    context.log.warn({ err: error, address }, 'the kernel was not told the MAC address of a new container');
  });
  const knock = knocks(sshPort, address);
  let lookedMs = performance.now();
  await waitFor(
    `container "${instance}"`,
    context.settings.timeouts.readyMs,
    async () => {
      if ((await knock()) !== 'silent') return true;
      if (performance.now() - lookedMs < lookMs) return undefined;
      refuseStopped(instance, await context.incus.storedInstance(instance));
      lookedMs = performance.now();
      return undefined;
    },
    () => `it did not get its address ${address}`,
    maxKnockPauseMs,
  );
}

/** Returns what tries the port once. */
function knocks(sshPort: SshPort, address: string): () => Promise<PortAnswer> {
  const laterMs = performance.now() + connectMs.laterAfter;
  return () => sshPort.knock(address, performance.now() < laterMs ? connectMs.first : connectMs.later);
}

/** Throws if the instance does not run, and will not answer. */
function refuseStopped(name: string, found: IncusInstance | undefined): asserts found is IncusInstance {
  const what = `container "${name}"`;
  if (found === undefined) throw new Failure('not-found', { what, why: 'it disappeared while it was starting' });
  if (found.status !== 'Stopped') return;
  throw new Failure('wrong-state', {
    what,
    why: 'it stopped while it was starting',
    next: `incus info ${name} --show-log`,
  });
}

/** Waits until Incus says that the running instance has its address. */
async function waitForAddress(context: HostContext, instance: string, address: string): Promise<void> {
  await waitFor(
    `container "${instance}"`,
    context.settings.timeouts.readyMs,
    async () => {
      const found = await context.incus.instance(instance);
      refuseStopped(instance, found);
      const addresses = Object.values(found.state?.network ?? {}).flatMap((nic) => nic.addresses ?? []);
      return addressOf(found) === address && addresses.some((a) => a.address === address) ? true : undefined;
    },
    () => `it did not get its address ${address}`,
  );
}

/** Returns what asks the sshd at `address` for its host key once, and resolves to undefined if none answers. */
function hostKeyAsker({ sshPort, keyscan }: HostContext, address: string): () => Promise<string | undefined> {
  if (sshPort === undefined) return () => keyscan.hostKey(address);
  const knock = knocks(sshPort, address);
  return async () => {
    if ((await knock()) !== 'banner') return undefined;
    const hostKey = await keyscan.hostKey(address, { timeoutSeconds: hostKeySeconds });
    // What sends a banner and no key may do so for ever.
    if (hostKey === undefined) await new Promise((resolve) => setTimeout(resolve, maxPauseMs));
    return hostKey;
  };
}

/**
 * Waits until the sshd of the instance answers at `address` with exactly this host key, for at most `maxMs` and no
 * longer than configured.
 */
export async function waitForSsh(
  context: HostContext,
  instance: string,
  address: string,
  hostKey: string,
  maxMs = Infinity,
): Promise<void> {
  const seen = await waitFor(
    `container "${instance}"`,
    Math.min(context.settings.timeouts.readyMs, maxMs),
    hostKeyAsker(context, address),
    () => 'its sshd did not answer',
    context.sshPort === undefined ? maxPauseMs : maxKnockPauseMs,
  ).catch(async (error: unknown) => {
    throw error instanceof Failure && error.code === 'timeout' ? await withBootLog(context, instance, error) : error;
  });
  if (seen !== hostKey) {
    throw new Failure('unexpected-output', {
      what: `container "${instance}"`,
      why: 'its sshd answers with the wrong host key',
      next: 'check whether another machine uses its address, then try again',
      details: { address },
    });
  }
}

/** Adds the log of the container's first boot, if available: it usually holds the reason. */
async function withBootLog(context: HostContext, instance: string, failure: Failure): Promise<Failure> {
  const log = await context.incus
    .exec(
      instance,
      ['journalctl', '--no-pager', '-n', '20', '-u', 'containarium-first-boot.service', '-u', 'ssh.service'],
      { timeoutMs: 5000, maxOutputBytes: 64 * 1024 },
    )
    .then(({ stdout }) => stdout)
    .catch(() => '');
  return new Failure(
    failure.code,
    { ...failure.toData(), details: { ...failure.details, bootLog: log.slice(-2000) } },
    failure,
  );
}

/** How long to wait for an sshd that may never answer, in milliseconds. */
const reachableMs = 30_000;

/**
 * Waits until the sshd of a started container answers. If it does not, the caller gets a note and the call succeeds:
 * the owner may have changed the sshd, and stopping the container again would leave no way to repair it.
 */
export async function noteUnlessReachable(context: HostContext, instance: IncusInstance, call: Call): Promise<void> {
  const address = addressOf(instance);
  const hostKey = instance.config[field.hostKey];
  if (address === null || hostKey === undefined) return;
  await waitForSsh(context, instance.name, address, hostKey, reachableMs).catch((error: unknown) => {
    const failure = Failure.from(error);
    call.progress.note(`Started, but ${failure.what}: ${failure.why}`);
  });
}
