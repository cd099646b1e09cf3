/**
 * The remote interface, as core sees it: a process that runs while there are certificates and an address to listen on,
 * and that gets each new server certificate without a restart.
 */
import type { Logger } from 'pino';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { Failure } from '../domain/failure.ts';
import {
  messages,
  remoteStart,
  type Greeting,
  type Listening,
  type RemoteStart,
  type RemoteTls,
} from '../protocol/messages.ts';
import type { BanStore } from '../service/access/banStore.ts';
import type { CertificateStore } from '../service/certificates/certificateStore.ts';
import { renewIfNeeded } from '../service/certs.ts';
import type { Settings } from '../settings/settings.ts';
import { bindPort, type Listener } from './processes/listener.ts';
import { remoteKind, type ProcessStarter } from './processes/processStarter.ts';
import { WatchedProcess } from './processes/watchedProcess.ts';

export interface RemoteInterfaceOptions {
  readonly settings: Pick<Settings, 'remote' | 'ssh'>;
  readonly certificates: CertificateStore;
  readonly bans: BanStore;
  readonly starter: ProcessStarter;
  readonly greeting: Greeting;
  readonly log: Logger;
  /** Registers the handlers for the requests of the process. */
  readonly serve: (connection: MessageConnection) => void;
}

export class RemoteInterface {
  readonly #options: RemoteInterfaceOptions;
  #process: WatchedProcess | undefined;
  #listener: Listener | undefined;
  /** What the process was given last. */
  #tls: RemoteTls | undefined;

  constructor(options: RemoteInterfaceOptions) {
    this.#options = options;
  }

  /** Where it listens; undefined while it does not run. */
  get listening(): Listening | undefined {
    return this.#listener?.where;
  }

  /**
   * Starts the process, if it is wanted and there are certificates. Rejects with `settings` if the port cannot be bound
   * or the process cannot serve.
   */
  async start(): Promise<void> {
    const { settings, certificates, starter, log, serve } = this.#options;
    const { listen, insecureAs } = settings.remote;
    if (listen === undefined || this.#process !== undefined) return;
    if (certificates.server === undefined && insecureAs === undefined) return;
    const listener = bindPort(listen, { what: 'the remote interface', setting: 'remote.listen' });
    this.#listener = listener;
    await new Promise<void>((resolve, reject) => {
      this.#process = new WatchedProcess({
        kind: remoteKind,
        starter,
        listener,
        log,
        serve: (connection) => {
          connection.onRequest(messages.remoteStart, () => this.#whatItNeeds());
          serve(connection);
        },
        onServing: resolve,
        onFatal: (why) => {
          this.#process = undefined;
          this.#listener = undefined;
          listener.close();
          reject(
            new Failure('settings', {
              what: 'the remote interface',
              why,
              next: 'for details set CONTAINARIUM_LOG=debug',
            }),
          );
        },
        onReplaced: () => undefined,
      });
    });
    log.info({ ...listener.where }, 'the remote interface listens');
  }

  #whatItNeeds(): RemoteStart {
    const { settings, certificates, greeting, bans } = this.#options;
    const { pendingLogins, penalties } = settings.ssh;
    const { minTlsVersion, insecureAs, ...limits } = settings.remote;
    const tls = insecureAs === undefined ? certificates.server : undefined;
    if (tls === undefined && insecureAs === undefined)
      throw new Failure('not-found', { what: 'the certificates', why: 'they are gone' });
    this.#tls = tls;
    return remoteStart.parse({
      ...greeting,
      ...(tls === undefined ? {} : { tls }),
      minTlsVersion,
      limits: { ...limits, pendingLogins, penalties },
      ...bans.forFront(),
    });
  }

  /** Follows a change of the certificates. Never rejects: a failure is logged, and `doctor` shows it. */
  async follow(): Promise<void> {
    const { certificates, settings } = this.#options;
    const tls = settings.remote.insecureAs === undefined ? certificates.server : undefined;
    if (tls === undefined || tls.certificate === this.#tls?.certificate) return;
    if (this.#process === undefined) {
      await this.start().catch((error: unknown) =>
        this.#options.log.error({ why: Failure.from(error).message }, 'the remote interface could not be started'),
      );
      return;
    }
    this.#tls = tls;
    this.#process.notify(messages.renewed, tls);
  }

  /** Renews the server's certificate if it ends soon. Never rejects. */
  async renew(now: Date): Promise<void> {
    const { certificates, log } = this.#options;
    try {
      if (await renewIfNeeded(certificates, now)) log.info('the certificate of the remote interface was renewed');
    } catch (error) {
      log.error({ why: Failure.from(error).message }, 'the certificate of the remote interface could not be renewed');
    }
    await this.follow();
  }

  async stop(reason: string, graceMs?: number): Promise<void> {
    await this.#process?.stop(reason, graceMs);
  }
}
