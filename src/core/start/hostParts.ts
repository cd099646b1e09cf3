/** The parts of the host that exist in two forms, real and simulated. */
import { join } from 'node:path';
import type { Accounts } from '../../host/accounts.ts';
import { FuseConnections } from '../../host/incus/fuse.ts';
import { ClientReads } from '../../host/incus/clientReads.ts';
import type { IncusReads } from '../../host/incus/reads.ts';
import { incusSocketPath } from '../../host/incus/socket.ts';
import { SocketReads } from '../../host/incus/socketReads.ts';
import { SocketStreams, type IncusStreams } from '../../host/incus/streams.ts';
import { JumpKeyFiles, type JumpKeys } from '../../host/jumpKeys.ts';
import { RealProgramStreams, type ProgramStreams } from '../../host/programStreams.ts';
import { realSshdProcesses, type SshdProcesses } from '../../host/sshd/processes.ts';
import type { Runner } from '../../host/runner.ts';
import { RealSshPort, type SshPort } from '../../host/sshPort.ts';

export interface HostParts {
  readonly runner: Runner;
  readonly reads: IncusReads;
  readonly programStreams: ProgramStreams;
  readonly streams: IncusStreams;
  /** Undefined for a simulated host, whose containers have no processes. */
  readonly fuse?: FuseConnections;
  /** Undefined for a simulated host, whose containers have no network. */
  readonly sshPort?: SshPort;
  readonly jumpKeys: (accounts: Accounts) => JumpKeys;
  /** The processes of the host's sshd. */
  readonly sshdProcesses: SshdProcesses;
  /** The file of a simulated host. */
  readonly stateFile?: string;
}

/** Loads the simulated host, which a real one does without. */
export async function simulatedHost(state: string, env: NodeJS.ProcessEnv): Promise<HostParts> {
  const { SimulatedHost } = await import('../../simulated/host.ts');
  const stateFile = join(state, 'simulated-host.json');
  const simulated = SimulatedHost.open(stateFile, {
    faultsPath: join(state, 'simulated-faults.json'),
    logPath: join(state, 'simulated-commands.jsonl'),
    sshdLogPath: join(state, 'simulated-sshd.jsonl'),
    paceMs: Number(env['CONTAINARIUM_SIMULATED_PACE_MS'] ?? 150),
  });
  const { runner, programStreams, streams, jumpKeys } = simulated;
  const reads = new ClientReads(runner);
  // A simulated connection lasts until the log says otherwise.
  const sshdProcesses = { isServing: () => Promise.resolve(true) };
  return { runner, reads, programStreams, streams, jumpKeys: () => jumpKeys, sshdProcesses, stateFile };
}

export function realHost(
  runner: Runner,
  env: NodeJS.ProcessEnv,
  authorizedKeysFolder: string,
  group: string,
): HostParts {
  const socketPath = incusSocketPath(env);
  return {
    runner,
    reads: new SocketReads(socketPath),
    programStreams: new RealProgramStreams(),
    streams: new SocketStreams(socketPath),
    fuse: new FuseConnections(),
    sshPort: new RealSshPort(runner),
    sshdProcesses: realSshdProcesses,
    jumpKeys: (accounts) => new JumpKeyFiles(authorizedKeysFolder, () => accounts.groupId(group)),
  };
}
