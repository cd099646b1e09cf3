/**
 * `containarium daemon`: the original's command line for its server. It is `serve` with the remote interface on. The
 * address is that of the remote interface, not of the SSH server.
 */
import { resolve } from 'node:path';
import { quoted } from '../domain/text.ts';
import { isLoopback } from '../domain/values/network.ts';
import { parseAddressAndPort, type AddressAndPort } from '../settings/addressAndPort.ts';
import { misused, parseWords } from '../settings/words.ts';
import { serve } from './serve.ts';

/** What `daemon` changes of the settings. */
export interface DaemonSettings {
  readonly listen: AddressAndPort;
  readonly certificatesFolder?: string;
  /** The admin as whom everybody acts, without TLS. */
  readonly insecureAs: string | undefined;
}

const defaultPort = '50051';

const usage =
  'containarium daemon [--address <address>] [--port <port>] [--mtls | --insecure --as <admin>] [--certs-dir <folder>] [--real]';

/** Parses the arguments of `daemon`. Throws `usage` if they are invalid. */
export function readDaemonArguments(words: readonly string[]): {
  readonly remote: DaemonSettings;
  readonly serve: string[];
} {
  const { values, positionals } = parseWords('daemon', usage, words, {
    address: { type: 'string' },
    port: { type: 'string' },
    'certs-dir': { type: 'string' },
    // Mutual TLS is on without it; the original needed the word.
    mtls: { type: 'boolean' },
    insecure: { type: 'boolean' },
    as: { type: 'string' },
    real: { type: 'boolean' },
    simulated: { type: 'boolean' },
    config: { type: 'string' },
  });
  const misuse = (why: string): Error => misused('daemon', usage, why);
  const [stray] = positionals;
  if (stray !== undefined) throw misuse(`it takes no argument ${quoted(stray)}`);
  const { insecure = false, as: insecureAs, port = defaultPort, config } = values;
  const { address = insecure ? '127.0.0.1' : '0.0.0.0' } = values;
  const folder = values['certs-dir'];
  const listen = parseAddressAndPort(`${address.includes(':') ? `[${address}]` : address}:${port}`);
  if (insecure && values.mtls === true) throw misuse('--mtls and --insecure exclude each other');
  if (insecure && insecureAs === undefined)
    throw misuse('without a certificate nobody has a name: --as names the admin as whom everybody acts');
  if (insecure && !isLoopback(listen.address)) throw misuse('--insecure needs a loopback --address');
  if (!insecure && insecureAs !== undefined) throw misuse('--as needs --insecure');
  return {
    remote: {
      listen,
      ...(folder === undefined ? {} : { certificatesFolder: resolve(folder) }),
      // Also if it is undefined: the address that the configuration allows it for may be another one.
      insecureAs,
    },
    serve: [
      ...(values.real === true ? ['--real'] : []),
      ...(values.simulated === true ? ['--simulated'] : []),
      ...(config === undefined ? [] : ['--config', config]),
    ],
  };
}

export function daemon(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { remote, serve: args } = readDaemonArguments(words);
  return serve(args, env, remote);
}
