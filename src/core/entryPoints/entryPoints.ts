/** The ways to connect to core, and what each may ask: the front, the remote process, and core's socket for root. */
import type { Socket } from 'node:net';
import type { Penalty } from '../../domain/access/ban.ts';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { serveBans } from './banEndpoint.ts';
import { serveCandidates } from './candidatesEndpoint.ts';
import { serveCalls, type EndpointOptions } from './callEndpoint.ts';
import { LoginEndpoint, type FrontReports } from './loginEndpoint.ts';
import type { Logins } from '../logins/logins.ts';
import { callPlaces, shellPlaces } from '../turns/places.ts';
import { serveShells, type ShellEndpointOptions } from './shellEndpoint.ts';

export interface EntryPointsOptions
  extends
    Omit<EndpointOptions, 'logins' | 'places'>,
    Omit<ShellEndpointOptions, 'logins' | 'places'>,
    Required<FrontReports> {
  readonly logins: Logins;
  readonly onPenalty: (penalty: Penalty) => void;
}

export class EntryPoints {
  readonly #options: EntryPointsOptions;
  readonly #callPlaces = callPlaces();
  readonly #shellPlaces = shellPlaces();

  constructor(options: EntryPointsOptions) {
    this.#options = options;
  }

  /** Runs the command line that arrives over core's socket. Resolves when it is answered. Never rejects. */
  async runLocal(socket: Socket): Promise<void> {
    // Loaded with the first one: the parser and the formats are of use to nobody before.
    const { runLocalCommand } = await import('./localCommand.ts');
    await runLocalCommand(socket, this.#options);
  }

  serveFront(connection: MessageConnection): void {
    const { logins, refused, unsupportedRequests, useInvitation, service, onPenalty } = this.#options;
    const endpoint = new LoginEndpoint(connection, 'front', logins, { refused, unsupportedRequests, useInvitation });
    serveCalls(connection, { ...this.#options, places: this.#callPlaces, logins: endpoint });
    serveShells(connection, { ...this.#options, places: this.#shellPlaces, logins: endpoint });
    serveBans(connection, service.bans, onPenalty);
  }

  serveRemote(connection: MessageConnection): void {
    const { logins, refused, service, onPenalty } = this.#options;
    const endpoint = new LoginEndpoint(connection, 'remote', logins, { refused });
    serveCalls(connection, { ...this.#options, places: this.#callPlaces, logins: endpoint });
    serveCandidates(connection, service, endpoint);
    serveBans(connection, service.bans, onPenalty);
  }
}
