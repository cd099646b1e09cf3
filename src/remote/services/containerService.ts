/**
 * The ContainerService (proto/containarium/v1/container.proto): the interface of the original, each call as a verb. The
 * texts of a request are parsed by the rules of the command line.
 */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { parsePublicKey } from '../../domain/keys/publicKey.ts';
import type { ChangeResults } from './results.ts';
import { callVerb, type AnyCall, type Services } from './calls.ts';
import { containerMessage, hostMessage, metricsMessage } from './messages.ts';
import { unary } from './unary.ts';

interface Resources {
  readonly cpu: string;
  readonly memory: string;
  readonly disk: string;
}
type Labels = Readonly<Record<string, string>>;

/** What the original's client sends when no image was named; the host's own default applies then. */
const defaultImage = 'ubuntu:24.04';

/** Containers whose CPU use is measured at the same time. Each takes a fraction of a second. */
const maxMeasured = 8;

export function containerService(services: Services): UntypedServiceImplementation {
  /** Runs a verb and returns its result. */
  const run = async <V extends keyof ChangeResults>(
    call: AnyCall,
    verb: V,
    input: Readonly<Record<string, unknown>>,
  ): Promise<ChangeResults[V]> => (await callVerb(services, call, { verb, input })).result as ChangeResults[V];
  const details = async (call: AnyCall, user: string) => (await run(call, 'info', { user })).container;

  return {
    CreateContainer: unary(
      async (
        call,
        request: {
          username: string;
          resources: Resources | null;
          ssh_keys: readonly string[];
          labels: Labels;
          image: string;
          enable_docker: boolean;
        },
      ) => {
        const { cpu = '', memory = '', disk = '' } = request.resources ?? {};
        const image = request.image === defaultImage ? '' : request.image;
        const labels = Object.entries(request.labels).map(([key, value]) => `${key}=${value}`);
        const { container, sshConfig } = await run(call, 'create', {
          user: request.username,
          keys: request.ssh_keys.join('\n'),
          ...given({ cpu, memory, disk, image }),
          ...(labels.length === 0 ? {} : { labels }),
          docker: request.enable_docker,
        });
        const { jumpHost, jumpPort, user, address } = sshConfig;
        return {
          container: containerMessage(await details(call, container.user)),
          message: `Container ${container.name} created`,
          ssh_command: `ssh -J ${user}@${jumpHost}${jumpPort === 22 ? '' : `:${jumpPort}`} ${user}@${address}`,
        };
      },
    ),

    ListContainers: unary(async (call, request: { state: string; username: string; label_filter: Labels }) => {
      const state = request.state.replace('CONTAINER_STATE_', '').toLowerCase();
      const labels = Object.entries(request.label_filter).map(([key, value]) => `${key}=${value}`);
      const { containers } = await run(call, 'list', {
        ...(state === 'running' || state === 'stopped' ? { state } : {}),
        ...given({ user: request.username }),
        ...(labels.length === 0 ? {} : { labels }),
      });
      const found = containers
        .map(containerMessage)
        .filter((message) => state === 'unspecified' || message.state === request.state);
      return { containers: found, total_count: found.length };
    }),

    GetContainer: unary(async (call, { username }: { username: string }) => {
      const container = await details(call, username);
      return { container: containerMessage(container), metrics: metricsMessage(container) };
    }),

    DeleteContainer: unary(
      // The original asks on its client's terminal; a call of it is confirmed.
      async (call, { username }: { username: string; force: boolean }) => {
        const { container } = await run(call, 'delete', { user: username, yes: true });
        return { message: `Container ${container} deleted`, container_name: container };
      },
    ),

    StartContainer: unary(async (call, { username }: { username: string }) => {
      const { container, changed } = await run(call, 'start', { user: username });
      return {
        message: changed ? `Container ${container} started` : `Container ${container} is running already`,
        container: containerMessage(await details(call, username)),
      };
    }),

    StopContainer: unary(async (call, { username, force }: { username: string; force: boolean; timeout: number }) => {
      const { container, changed } = await run(call, 'stop', { user: username, ...(force ? { force } : {}) });
      return {
        message: changed ? `Container ${container} stopped` : `Container ${container} is stopped already`,
        container: containerMessage(await details(call, username)),
      };
    }),

    AddSSHKey: unary(async (call, request: { username: string; ssh_public_key: string }) => {
      const { added, keys } = await run(call, 'key add', { user: request.username, keys: request.ssh_public_key });
      const message = added.length === 0 ? 'the container has this key already' : 'key added';
      return { message, total_keys: keys.length };
    }),

    RemoveSSHKey: unary(async (call, request: { username: string; ssh_public_key: string }) => {
      const { keys } = await run(call, 'key remove', {
        user: request.username,
        key: parsePublicKey(request.ssh_public_key).fingerprint,
      });
      return { message: 'key removed', total_keys: keys.length };
    }),

    GetMetrics: unary(async (call, { username }: { username: string }) => {
      if (username !== '') return { metrics: [metricsMessage(await details(call, username))] };
      const { containers } = await run(call, 'list', {});
      const metrics: object[] = [];
      for (let at = 0; at < containers.length; at += maxMeasured)
        metrics.push(
          ...(await Promise.all(
            containers
              .slice(at, at + maxMeasured)
              .map(async (container) =>
                metricsMessage(container.status === 'running' ? await details(call, container.user) : container),
              ),
          )),
        );
      return { metrics };
    }),

    GetSystemInfo: unary(async (call) => ({ info: hostMessage((await run(call, 'info', {})).hostInfo) })),
  };
}

/** Leaves out what is empty: in proto3 an absent text is an empty one. */
function given(input: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== ''));
}
