/** Measures a Node.js process through its inspector, which SIGUSR1 opens on loopback (node(1)). */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** A CPU profile, as the inspector's protocol describes it (Profiler.Profile). */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      /** From 0, like the column. */
      readonly lineNumber: number;
      readonly columnNumber: number;
    };
    readonly children?: readonly number[];
  }[];
  /** Ids of nodes. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

export class Inspector {
  readonly #socket: WebSocket;
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async of(pid: number): Promise<Inspector> {
    const before = listening(pid);
    process.kill(pid, 'SIGUSR1');
    for (let tries = 0; tries < 600; tries++) {
      await pause(50);
      for (const port of listening(pid).filter((each) => !before.includes(each))) {
        const answer = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
          webSocketDebuggerUrl: string;
        }[];
        const socket = new WebSocket(answer[0]?.webSocketDebuggerUrl ?? '');
        await new Promise((resolve, reject) => {
          socket.addEventListener('open', resolve, { once: true });
          socket.addEventListener('error', () => reject(new Error(`the inspector of process ${pid} does not answer`)), {
            once: true,
          });
        });
        return new Inspector(socket);
      }
    }
    throw new Error(`process ${pid} opens no inspector`);
  }

  /** Returns the live memory after a full garbage collection, in bytes: the heap and the buffers outside it. */
  async liveBytes(): Promise<number> {
    // Twice, because the second collection frees what finalizers of the first have released.
    await this.#ask('HeapProfiler.collectGarbage');
    await this.#ask('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize } = await this.#ask<{ usedSize: number; backingStorageSize: number }>(
      'Runtime.getHeapUsage',
    );
    return usedSize + backingStorageSize;
  }

  /** Returns the CPU profile of the time that `act` takes, with a sample every `everyUs` microseconds. */
  async profile(act: () => Promise<unknown>, everyUs: number): Promise<CpuProfile> {
    await this.#ask('Profiler.enable');
    await this.#ask('Profiler.setSamplingInterval', { interval: everyUs });
    await this.#ask('Profiler.start');
    await act();
    const { profile } = await this.#ask<{ profile: CpuProfile }>('Profiler.stop');
    await this.#ask('Profiler.disable');
    return profile;
  }

  /** Evaluates an expression in the process. Resolves to its value, which is sent as JSON. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#ask<{
      result: { value: T };
      exceptionDetails?: { exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, returnByValue: true });
    if (exceptionDetails !== undefined)
      throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? 'failed'}`);
    return result.value;
  }

  async #ask<T>(method: string, params: Readonly<Record<string, number | string | boolean>> = {}): Promise<T> {
    const id = ++this.#last;
    const answer = new Promise<T>((resolve, reject) => {
      const listen = ({ data }: MessageEvent): void => {
        const message = JSON.parse(String(data)) as { id?: number; result?: T; error?: { message: string } };
        if (message.id !== id) return;
        this.#socket.removeEventListener('message', listen);
        if (message.error === undefined) resolve(message.result as T);
        else reject(new Error(`${method}: ${message.error.message}`));
      };
      this.#socket.addEventListener('message', listen);
    });
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer;
  }

  close(): void {
    this.#socket.close();
  }
}

/** Returns the TCP ports of 127.0.0.1 on which a process listens (proc(5)). */
function listening(pid: number): number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? '';
      } catch {
        return '';
      }
    }),
  );
  return readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local = '', , state, , , , , , inode = '']) =>
        local.startsWith('0100007F:') && state === '0A' && inodes.has(inode),
    )
    .map(([, local = '']) => Number.parseInt(local.slice(9), 16));
}
