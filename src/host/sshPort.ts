/**
 * Port 22 of a container, as this host reaches it. Waiting there costs a socket for each try, where a program such as
 * ssh-keyscan(1), or a look of Incus into the container, would take processor time from the boot that is waited for.
 */
import { connect } from 'node:net';
import type { Runner } from './runner.ts';

/**
 * `silent`: no answer, as before the network is up. `refused`: there is a network and no sshd yet, or one that does not
 * answer. `banner`: an SSH server answers.
 */
export type PortAnswer = 'silent' | 'refused' | 'banner';

export interface SshPort {
  /**
   * Tells the kernel which MAC address a container will have with `address` on `bridge`. Otherwise it asks the
   * container, and if that cannot answer yet, asks again a second later (arp(7), `retrans_time_ms`).
   */
  introduce(address: string, mac: string, bridge: string): Promise<void>;
  /** Tries the port once. Waits `connectMs` milliseconds for a connection, and longer for what is said on it. */
  knock(address: string, connectMs: number): Promise<PortAnswer>;
}

/**
 * How long an sshd that has taken a connection may need until its banner, in milliseconds: it starts a process for it,
 * which takes seconds where many containers start. Another try would only begin another process.
 */
const bannerMs = 10_000;
const limitMs = 10_000;
/** The beginning of what an SSH server sends first (RFC 4253, section 4.2). */
const identification = 'SSH-';

export class RealSshPort implements SshPort {
  readonly #runner: Runner;
  readonly #port: number;
  readonly #bannerMs: number;

  constructor(runner: Runner, options: { readonly port?: number; readonly bannerMs?: number } = {}) {
    this.#runner = runner;
    this.#port = options.port ?? 22;
    this.#bannerMs = options.bannerMs ?? bannerMs;
  }

  async introduce(address: string, mac: string, bridge: string): Promise<void> {
    // What the container itself says replaces a stale entry (ip-neighbour(8)).
    const args = ['neigh', 'replace', address, 'lladdr', mac, 'dev', bridge, 'nud', 'stale'];
    await this.#runner.run({ program: 'ip', args, timeoutMs: limitMs });
  }

  knock(address: string, connectMs: number): Promise<PortAnswer> {
    return new Promise((resolve) => {
      const socket = connect({ host: address, port: this.#port });
      const end = (answer: PortAnswer): void => {
        socket.destroy();
        resolve(answer);
      };
      socket.setTimeout(connectMs);
      socket.on('timeout', () => {
        // Timers come first after a busy moment, and the connection may be there already.
        setImmediate(() => {
          if (socket.connecting) end('silent');
        });
      });
      socket.once('connect', () => {
        socket.setTimeout(this.#bannerMs);
        socket.on('timeout', () => {
          end('refused');
        });
      });
      socket.on('error', (error) => {
        end('code' in error && error.code === 'ECONNREFUSED' ? 'refused' : 'silent');
      });
      socket.on('close', () => {
        resolve('refused');
      });
      socket.once('data', (data) => {
        end(data.toString('latin1').startsWith(identification) ? 'banner' : 'refused');
      });
    });
  }
}
