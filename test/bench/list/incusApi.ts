/**
 * An Incus with any number of containers, for the bench of lists: its REST API on a socket, with the answers of a real
 * one (instance.json, which `incus query "/1.0/instances/NAME?recursion=1"` prints) and about its delays.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';

/** What a real Incus took with 150 containers, in milliseconds for each. */
const delays = { withState: 6.4, stored: 0.4, metrics: 1 };
/** What it takes for one instance with state, in milliseconds. */
const oneMs = 8;

interface Instance {
  name: string;
  status: string;
  config: Record<string, string>;
  devices: Record<string, Record<string, string>>;
  expanded_config: Record<string, string>;
  expanded_devices: Record<string, Record<string, string>>;
  state?: unknown;
}

export interface IncusApi {
  /** How often everything, and one instance, was asked for. */
  readonly asked: { all: number; one: number };
  /** Stops or starts a container, and says so to those who follow the events. */
  toggle(at: number): void;
  stop(): Promise<void>;
}

export async function startIncusApi(socketPath: string, containers: number): Promise<IncusApi> {
  const template = JSON.parse(await readFile(new URL('instance.json', import.meta.url), 'utf8')) as Instance;
  const instances = Array.from({ length: containers }, (_, at) => instanceOf(template, at));
  const byName = new Map(instances.map((instance) => [instance.name, instance]));
  const asked = { all: 0, one: 0 };
  const answer = async (path: string): Promise<unknown> => {
    const url = new URL(path, 'http://incus');
    const recursion = Number(url.searchParams.get('recursion') ?? 0);
    if (url.pathname === '/1.0') return server;
    if (url.pathname === '/1.0/instances') {
      asked.all += recursion === 2 ? 1 : 0;
      await pause(containers * (recursion === 2 ? delays.withState : delays.stored));
      return recursion === 2 ? instances : instances.map(({ state: _, ...stored }) => stored);
    }
    const name = /^\/1\.0\/instances\/([^/]+)$/.exec(url.pathname)?.[1];
    if (name === undefined) return [];
    asked.one++;
    await pause(oneMs);
    return byName.get(name);
  };
  const http = createServer((request: IncomingMessage, response: ServerResponse) => {
    void (async () => {
      const path = request.url ?? '';
      if (path.startsWith('/1.0/metrics')) {
        await pause(containers * delays.metrics);
        response.end(metrics(instances));
        return;
      }
      const metadata = await answer(path);
      const found = metadata !== undefined;
      response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(
          found
            ? { type: 'sync', status: 'Success', status_code: 200, metadata }
            : { type: 'error', error: 'Instance not found', error_code: 404 },
        ),
      );
    })();
  });
  const followers = new Set<WebSocket>();
  const events = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, socket, head) =>
    events.handleUpgrade(request, socket, head, (follower) => {
      followers.add(follower);
      follower.ping();
      follower.on('close', () => followers.delete(follower));
    }),
  );
  http.listen(socketPath);
  await once(http, 'listening');
  return {
    asked,
    toggle: (at) => {
      const instance = instances[at] ?? template;
      instance.status = instance.status === 'Running' ? 'Stopped' : 'Running';
      const action = instance.status === 'Running' ? 'instance-started' : 'instance-stopped';
      const metadata = { action, source: `/1.0/instances/${instance.name}` };
      for (const follower of followers)
        follower.send(JSON.stringify({ type: 'lifecycle', timestamp: new Date().toISOString(), metadata }));
    },
    stop: async () => {
      for (const follower of followers) follower.terminate();
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

function instanceOf(template: Instance, at: number): Instance {
  const instance = structuredClone(template);
  const user = `user${at}`;
  instance.name = `${user}-container`;
  const address = `10.${100 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}`;
  for (const config of [instance.config, instance.expanded_config]) config['user.containarium.owner'] = user;
  for (const { eth0 } of [instance.devices, instance.expanded_devices])
    if (eth0 !== undefined) eth0['ipv4.address'] = address;
  return instance;
}

function metrics(instances: readonly Instance[]): string {
  const lines = instances.flatMap(({ name }) =>
    (
      [
        ['MemTotal', 2 ** 31],
        ['MemFree', 2 ** 30],
        ['Active_file', 2 ** 26],
        ['Inactive_file', 2 ** 27],
      ] as const
    ).map(
      ([series, bytes]) => `incus_memory_${series}_bytes{name="${name}",project="default",type="container"} ${bytes}`,
    ),
  );
  return `${lines.join('\n')}\n# EOF\n`;
}

const server = {
  auth: 'trusted',
  api_version: '1.0',
  api_extensions: ['instance_auto_restart', 'instances', 'api_filtering', 'container_full', 'instance_all_projects'],
  environment: { server_version: '6.0.4', kernel_version: '6.8.0', firewall: 'nftables', storage: 'zfs' },
};
