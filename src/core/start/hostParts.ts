/** The parts of the host that exist in two forms, real and simulated. */
import { join } from 'node:path';
import type { Accounts } from '../../host/accounts.ts';
import { FuseConnections } from '../../host/incus/fuse.ts';
import { incusSocketPath } from '../../host/incus/socket.ts';
import { SocketStreams, type IncusStreams } from '../../host/incus/streams.ts';
import { JumpKeyFiles, type JumpKeys } from '../../host/jumpKeys.ts';
import type { Runner } from '../../host/runner.ts';
import { SimulatedHost } from '../../simulated/host.ts';

export interface HostParts {
  readonly runner: Runner;
  readonly streams: IncusStreams;
  /** Undefined for a simulated host, whose containers have no processes. */
  readonly fuse?: FuseConnections;
  readonly jumpKeys: (accounts: Accounts) => JumpKeys;
  /** The file of a simulated host. */
  readonly stateFile?: string;
}

export function simulatedHost(state: string, env: NodeJS.ProcessEnv): HostParts {
  const stateFile = join(state, 'simulated-host.json');
  const simulated = SimulatedHost.open(stateFile, {
    faultsPath: join(state, 'simulated-faults.json'),
    logPath: join(state, 'simulated-commands.jsonl'),
    paceMs: Number(env['CONTAINARIUM_SIMULATED_PACE_MS'] ?? 150),
  });
  return { runner: simulated.runner, streams: simulated.streams, jumpKeys: () => simulated.jumpKeys, stateFile };
}

export function realHost(
  runner: Runner,
  env: NodeJS.ProcessEnv,
  authorizedKeysFolder: string,
  group: string,
): HostParts {
  return {
    runner,
    streams: new SocketStreams(incusSocketPath(env)),
    fuse: new FuseConnections(),
    jumpKeys: (accounts) => new JumpKeyFiles(authorizedKeysFolder, () => accounts.groupId(group)),
  };
}
