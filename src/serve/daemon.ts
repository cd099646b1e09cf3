/**
 * `containarium daemon`: the original's command line for its server. It is `serve` with the remote interface on. The
 * address is that of the remote interface, not of the SSH server.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import { parseAddressAndPort, type AddressAndPort } from '../settings/addressAndPort.ts';
import { serve } from './serve.ts';

/** What `daemon` changes of the settings. */
export interface DaemonSettings {
  readonly listen: AddressAndPort;
  readonly certificatesFolder?: string;
}

const defaultPort = '50051';

/** Parses the arguments of `daemon`. Throws `usage` if they are invalid. */
export function readDaemonArguments(words: readonly string[]): {
  readonly remote: DaemonSettings;
  readonly serve: string[];
} {
  const { values, positionals } = parsed(words);
  const [stray] = positionals;
  if (stray !== undefined) throw misused(`it takes no argument ${quoted(stray)}`);
  if (values.insecure === true)
    throw misused('without a certificate nobody has a name, so there is no --insecure here');
  const { address = '0.0.0.0', port = defaultPort, config } = values;
  const folder = values['certs-dir'];
  return {
    remote: {
      listen: parseAddressAndPort(`${address.includes(':') ? `[${address}]` : address}:${port}`),
      ...(folder === undefined ? {} : { certificatesFolder: resolve(folder) }),
    },
    serve: [
      ...(values.real === true ? ['--real'] : []),
      ...(values.simulated === true ? ['--simulated'] : []),
      ...(config === undefined ? [] : ['--config', config]),
    ],
  };
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        address: { type: 'string' },
        port: { type: 'string' },
        'certs-dir': { type: 'string' },
        // Mutual TLS is always on; the original needed the word.
        mtls: { type: 'boolean' },
        insecure: { type: 'boolean' },
        real: { type: 'boolean' },
        simulated: { type: 'boolean' },
        config: { type: 'string' },
      },
    });
  } catch (error) {
    // The texts of parseArgs are not ours.
    const [, option] = /'(-[^' ]+)/.exec(error instanceof Error ? error.message : '') ?? [];
    throw misused(option === undefined ? 'its options are not valid' : `option ${quoted(option)} is not valid here`);
  }
}

function misused(why: string): Failure {
  const next = 'containarium daemon [--address <address>] [--port <port>] [--mtls] [--certs-dir <folder>] [--real]';
  return new Failure('usage', { what: '"daemon"', why, next });
}

export function daemon(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { remote, serve: args } = readDaemonArguments(words);
  return serve(args, env, remote);
}
