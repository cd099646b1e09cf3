/**
 * The server under the fuzzer, and how it is told whether a packet held up its event loop.
 *
 * A limit in time on the clock would measure the machine: other processes run on it. What is measured is the time that
 * the kernel gave to the front's main thread, the one with the event loop (schedstat, in nanoseconds; sched-stats.rst
 * of the Linux kernel), between sending packets and their answers. It does not grow while the thread waits for a
 * processor, and it is never less than what one packet took, so where a whole batch took less than the limit, no packet
 * of it can have held the loop for longer. Where a batch took more, its packets are sent again on a connection of their
 * own, one after the other, each measured: only one that takes too long every time counts, because a collection of
 * garbage or a compilation hits whoever comes along. The front sleeps in no system call (it opens no file and starts no
 * process), so a loop that stands still without using the processor would have to wait for something that it never
 * waits for; the watchdog would end it, and with it the process id that the test looks at.
 */
import { readFileSync } from 'node:fs';
import type { RawClient } from '../support/rawClient.ts';
import { message, string, uint32 } from '../support/rawClient.ts';
import { pause } from './packets.ts';

/** No packet may take longer, in milliseconds of processor time. */
export const longestMs = 50;

/** How often a slow packet has to be slow to count. */
const repetitions = 3;

/**
 * Sender numbers of the marks between packets: an unknown kind of channel is refused with the number of whoever asked.
 */
const firstMark = 0x7f000000;

/** How long a pause in a batch is, in milliseconds: a shell is at its prompt then. */
const pauseMs = 40;

/** How long an answer may take on a machine that does other work too: a front that stands still. */
const answerMs = 20_000;

/** Time on the processor of a process's main thread, in milliseconds. */
export function loopMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

export interface Outcome {
  /** Packets that the server read; those behind one that ends the connection are sent on another. */
  readonly packets: number;
  readonly connections: number;
  /** The longest batch, in milliseconds of the loop. */
  readonly batchMs: number;
}

export class Target {
  readonly #pid: number;
  readonly #connect: () => Promise<RawClient>;
  readonly #ready: Promise<RawClient>[] = [];
  #mark = firstMark;

  /** Keeps some connections ready, because making one takes longer than a batch. */
  constructor(pid: number, connect: () => Promise<RawClient>, spare = 3) {
    this.#pid = pid;
    this.#connect = connect;
    for (let i = 0; i < spare; i++) this.#refill();
  }

  /** Sends a batch; rejects where the server stops answering or a packet holds up its loop. */
  async take(batch: readonly string[]): Promise<Outcome> {
    const before = loopMs(this.#pid);
    let connections = 0;
    for (let at = 0; at < batch.length; connections++) {
      const client = await this.#next();
      at += await this.#send(client, batch.slice(at));
      client.destroy();
    }
    const batchMs = loopMs(this.#pid) - before;
    if (batchMs > longestMs) await this.#blame(batch);
    return { packets: batch.filter((step) => step !== pause).length, connections, batchMs };
  }

  /**
   * Sends packets, those between two pauses in one segment; resolves with how many steps were taken, the one that ended
   * the connection included.
   */
  async #send(client: RawClient, batch: readonly string[]): Promise<number> {
    let at = 0;
    while (at < batch.length && !client.closed) {
      if (batch[at] === pause) {
        at++;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        continue;
      }
      const end = batch.indexOf(pause, at);
      at += await this.#sendTogether(client, batch.slice(at, end === -1 ? batch.length : end));
    }
    return at;
  }

  /** With a mark behind each packet. */
  async #sendTogether(client: RawClient, packets: readonly string[]): Promise<number> {
    const first = this.#mark;
    client.together(() => {
      for (const hex of packets) {
        const packet = Buffer.from(hex, 'hex');
        client.send(packet[0] ?? 0, packet.subarray(1));
        client.send(message.channelOpen, string('mark'), uint32(this.#mark++), uint32(0), uint32(1024));
      }
    });
    const deadline = performance.now() + answerMs;
    let passed = 0;
    for (;;) {
      for (const packet of client.received.splice(0)) {
        if (packet[0] === message.channelOpenFailure && packet.length >= 5 && packet.readUInt32BE(1) === first + passed)
          passed++;
      }
      if (passed === packets.length) return passed;
      if (client.closed) return passed + 1;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`no answer within ${answerMs / 1000} s to ${packets[passed]}`);
      await client.changes(leftMs);
    }
  }

  async #blame(batch: readonly string[]): Promise<void> {
    let slow: { at: number; ms: number }[] = [];
    for (let i = 0; i < repetitions; i++) {
      const now: typeof slow = [];
      for (let at = 0; at < batch.length;) {
        const client = await this.#connect();
        for (let alive = true; alive && at < batch.length; at++) {
          const before = loopMs(this.#pid);
          await this.#send(client, batch.slice(at, at + 1));
          alive = !client.closed;
          const ms = loopMs(this.#pid) - before;
          if (ms > longestMs) now.push({ at, ms });
        }
        client.destroy();
      }
      slow = i === 0 ? now : slow.filter(({ at }) => now.some((again) => again.at === at));
      if (slow.length === 0) return;
    }
    const [worst] = slow.sort((a, b) => b.ms - a.ms);
    throw new Error(
      `packet ${worst?.at} holds up the event loop for ${worst?.ms.toFixed(0)} ms each time: ${batch[worst?.at ?? 0]?.slice(0, 400)}`,
    );
  }

  #next(): Promise<RawClient> {
    this.#refill();
    return this.#ready.shift() ?? this.#connect();
  }

  #refill(): void {
    const made = this.#connect();
    // Whoever takes it sees the failure.
    made.catch(() => undefined);
    this.#ready.push(made);
  }

  async end(): Promise<void> {
    for (const ready of this.#ready.splice(0)) (await ready.catch(() => undefined))?.destroy();
  }
}
