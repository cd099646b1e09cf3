/** The remote interface: gRPC over mutual TLS, with reflection and the standard health service. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Ban } from '../domain/access/ban.ts';
import { Gate } from '../admission/gate.ts';
import type { BegunPenalty } from '../admission/penalties.ts';
import type { Refusals } from '../admission/refusals.ts';
import { service } from '../grpc/protos.ts';
import type { CoreClient } from '../protocol/client.ts';
import type { LoginClient } from '../protocol/loginClient.ts';
import type { RemoteStart, RemoteTls } from '../protocol/messages.ts';
import type { CandidatesClient } from '../protocol/shellClient.ts';
import { Connections } from './connections/connections.ts';
import { acceptedOnly } from './services/acceptedOnly.ts';
import { containerService } from './services/containerService.ts';
import type { Services } from './services/calls.ts';
import { reflectionOf } from './services/reflection.ts';
import { countedAnswers } from './services/unreadAnswers.ts';
import { verbService } from './services/verbService.ts';

export interface RemoteServerOptions {
  readonly start: RemoteStart;
  readonly core: CoreClient;
  readonly logins: LoginClient;
  readonly candidates: CandidatesClient;
  readonly refusals: Refusals;
  readonly onPenalty: (begun: BegunPenalty) => void;
}

/** Longest message of a client, in bytes: the longest input of a verb is a CA of 64 KiB. */
const maxMessageBytes = 512 * 1024;

/** How long calls may take to end on a connection that is closed because of its age, in milliseconds. */
const ageGraceMs = 60_000;

/** How long running calls may take when the server stops, in milliseconds. */
const drainMs = 20_000;

const services = ['containarium.v1.ContainerService', 'containarium.v1.VerbService'] as const;
const addReflection = reflectionOf(services);

export class RemoteServer {
  readonly #grpc: Server;
  readonly #gate: Gate;
  readonly #connections: Connections;
  readonly #health = new HealthImplementation();

  constructor({ start, core, logins, candidates, refusals, onPenalty }: RemoteServerOptions) {
    const { limits } = start;
    this.#gate = new Gate({ pendingLogins: limits.pendingLogins, penalties: limits.penalties, onPenalty });
    this.#gate.setBans(start.bans);
    this.#gate.restore(start.penalties);
    this.#grpc = new Server({
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_concurrent_streams': limits.maxStreams,
      'grpc.max_metadata_size': 16 * 1024,
      // Megabytes that one connection may have in buffers (http2.createServer, maxSessionMemory).
      'grpc-node.max_session_memory': 4,
      // A client that has gone without a word keeps nothing for longer than this.
      'grpc.keepalive_time_ms': 60_000,
      'grpc.keepalive_timeout_ms': 20_000,
      'grpc.enable_channelz': 0,
      interceptors: [
        acceptedOnly((peer) => this.#connections.caller(peer)),
        countedAnswers((peer) => this.#connections.unread(peer)),
      ],
      ...(limits.idleMs === 0 ? {} : { 'grpc.max_connection_idle_ms': limits.idleMs }),
      ...(limits.maxConnectionMs === 0
        ? {}
        : { 'grpc.max_connection_age_ms': limits.maxConnectionMs, 'grpc.max_connection_age_grace_ms': ageGraceMs }),
    });
    const injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#connections = new Connections({
      start,
      gate: this.#gate,
      refusals,
      logins,
      serve: (socket) => injector.injectConnection(socket),
    });
    const context: Services = {
      core,
      candidates,
      caller: (peer) => this.#connections.caller(peer),
      unread: (peer) => this.#connections.unread(peer),
    };
    this.#grpc.addService(service('ContainerService').service, containerService(context));
    this.#grpc.addService(service('VerbService').service, verbService(context));
    for (const name of ['', ...services]) this.#health.setStatus(name, 'SERVING');
    this.#health.addToServer(this.#grpc);
    addReflection(this.#grpc);
  }

  listen(fd: number): Promise<void> {
    return this.#connections.listen(fd);
  }

  renew(tls: RemoteTls): void {
    this.#connections.renew(tls);
  }

  ban(bans: readonly Ban[]): void {
    this.#gate.setBans(bans);
  }

  lift(source: string): void {
    this.#gate.lift(source);
  }

  /** Accepts no further connections and calls, and waits for the calls that run. */
  async drain(): Promise<void> {
    this.#connections.close();
    for (const name of ['', ...services]) this.#health.setStatus(name, 'NOT_SERVING');
    await Promise.race([
      new Promise<void>((resolve) => this.#grpc.tryShutdown(() => resolve())),
      new Promise((resolve) => setTimeout(resolve, drainMs).unref()),
    ]);
    this.#connections.destroy();
  }
}
