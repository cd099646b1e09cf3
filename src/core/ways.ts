/**
 * The two ways into core, and what each may ask: its own socket, which only root can open, and the front, which knows
 * what its clients show.
 */
import type { Socket } from 'node:net';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { connectOver, mostMessageBytes } from '../protocol/connection.ts';
import type { Bans } from '../service/bans.ts';
import { serveBans } from './banEndpoint.ts';
import { serveCalls, type EndpointOptions } from './endpoint.ts';
import { LoginEndpoint, type FrontReports } from './loginEndpoint.ts';
import type { Logins } from './logins.ts';
import type { PenaltyRecords } from './penaltyRecords.ts';
import { serveShells, type ShellEndpointOptions } from './shellEndpoint.ts';

export interface WaysOptions
  extends Omit<EndpointOptions, 'logins'>, Omit<ShellEndpointOptions, 'logins'>, Required<FrontReports> {
  readonly logins: Logins;
  readonly bans: Bans;
  readonly penaltyRecords: PenaltyRecords;
}

export class Ways {
  readonly #options: WaysOptions;

  constructor(options: WaysOptions) {
    this.#options = options;
  }

  local(socket: Socket): void {
    const connection = connectOver(socket, { mostBytes: mostMessageBytes });
    socket.once('close', () => connection.dispose());
    this.#serve(connection, new LoginEndpoint(connection, 'local', this.#options.logins));
    connection.listen();
  }

  front(connection: MessageConnection): void {
    const { logins, refused, notOffered, useInvitation, bans, penaltyRecords } = this.#options;
    this.#serve(connection, new LoginEndpoint(connection, 'front', logins, { refused, notOffered, useInvitation }));
    serveBans(connection, bans, (penalty) => penaltyRecords.add(penalty));
  }

  #serve(connection: MessageConnection, logins: LoginEndpoint): void {
    serveCalls(connection, { ...this.#options, logins });
    serveShells(connection, { ...this.#options, logins });
  }
}
