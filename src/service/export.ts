/** The ssh configuration that leads a user to their container, with pinned host keys. */
import { readFile } from 'node:fs/promises';
import { unknownHost, type SshAccess } from '../domain/results/access.ts';
import { Failure } from '../domain/failure.ts';
import type { Username } from '../domain/values/username.ts';
import { ownAddress } from '../host/ownAddress.ts';
import { addressOf, instanceOf } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { jumpHost } from './instances/jumpHost.ts';
import { field } from './instances/metadata.ts';
import { targetContainer } from './instances/target.ts';

export interface ExportOptions {
  /** Name of this host. By default its own address, which users may not reach; the configuration says so. */
  readonly jumpHost?: string | undefined;
  readonly jumpPort?: number | undefined;
  /** Path of the private key on the user's machine. */
  readonly key?: string | undefined;
}

export interface ExportRequest extends ExportOptions {
  readonly user?: Username | undefined;
  /** Return the host keys instead of the configuration. */
  readonly knownHosts?: boolean | undefined;
}

/** Implements `export` for admins and `config` for owners. */
export async function exportAccess(
  context: HostContext,
  { user: named, knownHosts, ...options }: ExportRequest,
  call: Pick<Call, 'actor' | 'signal' | 'reachedAt'>,
): Promise<SshAccess & { readonly part: 'config' | 'known-hosts' }> {
  const user = targetContainer('export', named, call.actor);
  const instance = await instanceOf(context, user, call.signal);
  const address = addressOf(instance);
  if (address === null) {
    throw new Failure('wrong-state', {
      what: `container "${instance.name}"`,
      why: 'it has no address',
      next: `start it: "start ${user}"`,
    });
  }
  const hostKey = instance.config[field.hostKey];
  return {
    ...(await sshAccess(context, { user, address, hostKey }, { jumpHost: jumpHost(context, call), ...options })),
    part: knownHosts === true ? 'known-hosts' : 'config',
  };
}

/**
 * Returns the ssh configuration and the host keys for a container. The aliases `alice-dev` and `alice-jump` are unique
 * to one user. The host keys are filed under them (HostKeyAlias, ssh_config(5)), because container addresses repeat
 * from one jump host to the next.
 */
export async function sshAccess(
  context: HostContext,
  container: { user: string; address: string; hostKey: string | undefined },
  options: ExportOptions,
): Promise<SshAccess> {
  const { jump } = context.settings;
  const jumpPort = options.jumpPort ?? jump.port;
  const host = options.jumpHost ?? (await ownAddress()) ?? unknownHost;
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
    ...(options.jumpHost === undefined
      ? [
          host === unknownHost
            ? `# Replace ${unknownHost} with the name of the jump host (or set jump.hostname there).`
            : `# ${host} is the jump host's own address. If you reach it by another name, replace it (or set jump.hostname there).`,
        ]
      : []),
    '',
    '# The jump account: it forwards to the container below and has no shell.',
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
 * Returns the public host keys of the host's sshd as `type base64`, without comments. Skips files that are missing or
 * hold anything else.
 */
async function hostKeys(paths: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  return texts.flatMap(hostKey);
}

/**
 * Returns `type base64`, or nothing if the text is not a public key. Anyone who may configure a container in Incus can
 * write this text: a second line would make every reader of the file trust another key, for any host.
 */
function hostKey(text: string): string[] {
  const [type, blob] = text.trim().split(/\s+/);
  return type !== undefined && blob !== undefined && /^[a-z0-9@.-]+$/.test(type) && /^[A-Za-z0-9+/=]+$/.test(blob)
    ? [`${type} ${blob}`]
    : [];
}
