/** The ssh configuration that leads a user to their container, with pinned host keys. */
import { readFile } from 'node:fs/promises';
import type { SshAccess } from '../domain/results/access.ts';
import { Failure } from '../domain/failure.ts';
import type { Username } from '../domain/values/username.ts';
import { addressOf, instanceOf } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { field } from './instances/metadata.ts';
import { targetContainer } from './instances/target.ts';

export interface ExportOptions {
  readonly jumpHost?: string | undefined;
  readonly jumpPort?: number | undefined;
  /** Path of the private key on the user's machine. */
  readonly key?: string | undefined;
  /** The address of this host that the caller reached, for want of a configured name. */
  readonly reachedAt?: string | undefined;
}

export interface ExportRequest extends Omit<ExportOptions, 'reachedAt'> {
  readonly user?: Username | undefined;
  /** The host keys instead of the configuration. */
  readonly knownHosts?: boolean | undefined;
}

/** `export` for admins, `config` for owners. */
export async function exportAccess(
  context: HostContext,
  { user: named, knownHosts, ...options }: ExportRequest,
  { actor, signal, reachedAt }: Pick<Call, 'actor' | 'signal' | 'reachedAt'>,
): Promise<SshAccess & { readonly part: 'config' | 'known-hosts' }> {
  const user = targetContainer('export', named, actor);
  const instance = await instanceOf(context, user, signal);
  const address = addressOf(instance);
  if (address === null) {
    throw new Failure('wrong-state', {
      what: `container "${instance.name}"`,
      why: 'it has no address',
      next: `start ${user}`,
    });
  }
  const hostKey = instance.config[field.hostKey];
  return {
    ...(await sshAccess(context, { user, address, hostKey }, { ...options, reachedAt })),
    part: knownHosts === true ? 'known-hosts' : 'config',
  };
}

/**
 * Names that two users never share: `alice-dev` and `alice-jump` differ in their ending from each other and in their
 * beginning from everybody else's. They are also what the host keys are filed under (HostKeyAlias, ssh_config(5)),
 * because container addresses repeat from one jump host to the next.
 */
export async function sshAccess(
  context: HostContext,
  container: { user: string; address: string; hostKey: string | undefined },
  options: ExportOptions,
): Promise<SshAccess> {
  const { jump } = context.settings;
  const jumpHost = options.jumpHost ?? jump.hostname ?? options.reachedAt;
  const jumpPort = options.jumpPort ?? jump.port;
  const host = jumpHost ?? 'JUMP-HOST';
  const alias = `${container.user}-dev`;
  const jumpAlias = `${container.user}-jump`;
  const identity =
    options.key === undefined
      ? []
      : [`    IdentityFile ${/\s/.test(options.key) ? `"${options.key}"` : options.key}`, '    IdentitiesOnly yes'];
  const jumpName = jumpPort === 22 ? host : `[${host}]:${jumpPort}`;
  const config = [
    '# Containarium SSH Configuration',
    `# User: ${container.user}`,
    `# Generated: ${context.now().toISOString().replace('T', ' ').slice(0, 19)} UTC`,
    ...(jumpHost === undefined
      ? ['# Replace JUMP-HOST by the name of the jump host (or set jump.hostname on it).']
      : []),
    '',
    '# The jump account: it forwards to the container below, and has no shell.',
    `Host ${jumpAlias}`,
    `    HostName ${host}`,
    ...(jumpPort === 22 ? [] : [`    Port ${jumpPort}`]),
    `    User ${container.user}`,
    ...identity,
    `    HostKeyAlias ${jumpName}`,
    '',
    `# The container: ssh ${alias}`,
    `Host ${alias}`,
    `    HostName ${container.address}`,
    `    User ${container.user}`,
    ...identity,
    `    HostKeyAlias ${alias}`,
    `    ProxyJump ${jumpAlias}`,
  ].join('\n');
  const jumpKeys = await hostKeys(jump.hostKeys);
  return {
    user: container.user,
    alias,
    jumpAlias,
    jumpHost: host,
    jumpPort,
    address: container.address,
    config,
    knownHosts: [
      ...jumpKeys.map((key) => `${jumpName} ${key}`),
      ...hostKey(container.hostKey ?? '').map((key) => `${alias} ${key}`),
    ],
  };
}

/**
 * The public host keys of the host's sshd: `type base64` without comments. Files that are missing or hold something
 * else are passed over.
 */
async function hostKeys(paths: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  return texts.flatMap(hostKey);
}

/**
 * `type base64`, or nothing. Whoever may configure a container in Incus may write there what they like: a second line
 * in it would have every reader of the file trust another key, for any host.
 */
function hostKey(text: string): string[] {
  const [type, blob] = text.trim().split(/\s+/);
  return type !== undefined && blob !== undefined && /^[a-z0-9@.-]+$/.test(type) && /^[A-Za-z0-9+/=]+$/.test(blob)
    ? [`${type} ${blob}`]
    : [];
}
