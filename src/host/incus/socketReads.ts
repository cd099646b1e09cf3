/** Reads over Incus's socket, on connections that stay open. */
import { Agent } from 'node:http';
import { Failure, isFailure } from '../../domain/failure.ts';
import { printable } from '../../domain/text.ts';
import type { IncusReads, ReadOptions } from './reads.ts';
import { exchange, incusSocketPath, parseReply, type Answer } from './socket.ts';

/** Number of reads that Incus answers for this server at the same time. The others wait. */
const readsAtOnce = 8;

const defaultMaxBytes = 16 * 1024 * 1024;

export class SocketReads implements IncusReads {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: readsAtOnce, scheduling: 'lifo' });

  /** The default socket path comes from this process's environment. */
  constructor(socketPath: string = incusSocketPath(process.env)) {
    this.#socketPath = socketPath;
  }

  async document(path: string, options: ReadOptions): Promise<unknown> {
    const { text } = await this.#get(path, options);
    const { error, metadata } = parseReply({ method: 'GET', path }, text);
    if (error !== '') throw refused(path, error);
    return metadata;
  }

  async text(path: string, options: ReadOptions): Promise<string> {
    const { status, text } = await this.#get(path, options);
    if (status === 200) return text;
    throw refused(path, parseReply({ method: 'GET', path }, text).error);
  }

  async #get(path: string, { timeoutMs, signal, maxBytes = defaultMaxBytes }: ReadOptions): Promise<Answer> {
    const agent = this.#agent;
    const limits = { timeoutMs, maxReplyBytes: maxBytes, ...(signal === undefined ? {} : { signal }) };
    try {
      return await exchange(this.#socketPath, { method: 'GET', path, agent, ...limits });
    } catch (error) {
      if (signal?.aborted !== true || isFailure(error, 'timeout')) throw error;
      throw new Failure('cancelled', { what: `"GET ${printable(path)}"`, why: 'it was cancelled' }, error);
    }
  }
}

function refused(path: string, error: string): Failure {
  const why = printable(error);
  return new Failure('program-failed', { what: `"GET ${printable(path)}"`, why, details: { stderr: why } });
}
