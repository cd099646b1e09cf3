/**
 * The server under the fuzzer, and the check that no packet blocks its event loop.
 *
 * Wall-clock time would depend on the other processes of the machine. Instead, the test measures the CPU time of the
 * front's main thread, which runs the event loop, between a packet and its answer (schedstat, in nanoseconds;
 * sched-stats.rst of the Linux kernel). CPU time does not grow while the thread waits for a processor, and that of a
 * batch is at least that of each packet. So if a batch stays below the limit, each of its packets does.
 *
 * If a batch exceeds the limit, its packets are sent one by one on another connection, and each turn of the event loop
 * is measured. A packet counts as slow only if one of its turns exceeds the limit every time, because a garbage
 * collection or a compilation can hit any turn.
 *
 * The front blocks in no system call, because it opens no files and starts no processes. If its loop stopped without
 * using the processor, the watchdog would kill it, and the test would notice the new process ID.
 */
import type { RawClient } from '../support/rawClient.ts';
import { message, string, uint32 } from '../support/rawClient.ts';
import { loopMs, maxTurnMs } from './eventLoop.ts';
import { pause } from './packets.ts';
import type { TurnMeter } from './turnMeter.ts';

/** How often a packet must be slow to count. */
const repetitions = 3;

/**
 * Sender channel of the first mark. A mark follows each packet: it opens a channel of an unknown type, which the server
 * refuses with the sender channel in its answer.
 */
const firstMark = 0x7f000000;

/** Length of a pause in a batch, in milliseconds. By then a shell shows its prompt. */
const pauseMs = 40;

/** Time limit of an answer, in milliseconds. After that the front counts as hung, even on a busy machine. */
const answerMs = 20_000;

export interface Outcome {
  /** Packets that the server has read. Packets after one that ends the connection are sent on another connection. */
  readonly packets: number;
  readonly connections: number;
  /** CPU time of the batch, in milliseconds. */
  readonly batchMs: number;
}

/** A packet of a batch, and its longest turn of the event loop. */
interface Slow {
  readonly at: number;
  readonly ms: number;
}

export class Target {
  readonly #pid: number;
  readonly #meter: TurnMeter;
  readonly #connect: () => Promise<RawClient>;
  readonly #ready: Promise<RawClient>[] = [];
  #mark = firstMark;

  /** Keeps `spare` connections ready, because opening one takes longer than a batch. */
  constructor(pid: number, meter: TurnMeter, connect: () => Promise<RawClient>, spare = 3) {
    this.#pid = pid;
    this.#meter = meter;
    this.#connect = connect;
    for (let i = 0; i < spare; i++) this.#refill();
  }

  /** Sends a batch. Rejects if the server stops answering or a packet blocks its event loop. */
  async take(batch: readonly string[]): Promise<Outcome> {
    const before = loopMs(this.#pid);
    let connections = 0;
    for (let at = 0; at < batch.length; connections++) {
      const client = await this.#next();
      at += await this.#send(client, batch.slice(at));
      client.destroy();
    }
    const batchMs = loopMs(this.#pid) - before;
    if (batchMs > maxTurnMs) await this.#blame(batch);
    return { packets: batch.filter((step) => step !== pause).length, connections, batchMs };
  }

  /**
   * Sends packets, those between two pauses in one segment. Resolves to the number of steps taken, including the one
   * that ended the connection.
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

  /**
   * Sends packets in one segment, with a mark after each. Resolves to the number of packets that the server has read.
   */
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

  /** Rejects if a packet of a batch blocks the event loop every time. */
  async #blame(batch: readonly string[]): Promise<void> {
    let slow: Slow[] = [];
    for (let i = 0; i < repetitions; i++) {
      await this.#meter.start();
      const now = await this.#slowPackets(batch);
      await this.#meter.stop();
      slow = i === 0 ? now : slow.filter(({ at }) => now.some((again) => again.at === at));
      if (slow.length === 0) return;
    }
    const [worst] = slow.sort((a, b) => b.ms - a.ms);
    throw new Error(
      `packet ${worst?.at} blocks the event loop for ${worst?.ms.toFixed(0)} ms each time: ${batch[worst?.at ?? 0]?.slice(0, 400)}`,
    );
  }

  async #slowPackets(batch: readonly string[]): Promise<Slow[]> {
    const slow: Slow[] = [];
    for (let at = 0; at < batch.length;) {
      const client = await this.#connect();
      await this.#meter.maxMs();
      for (let alive = true; alive && at < batch.length; at++) {
        await this.#send(client, batch.slice(at, at + 1));
        alive = !client.closed;
        const ms = await this.#meter.maxMs();
        if (ms > maxTurnMs) slow.push({ at, ms });
      }
      client.destroy();
    }
    return slow;
  }

  #next(): Promise<RawClient> {
    this.#refill();
    return this.#ready.shift() ?? this.#connect();
  }

  #refill(): void {
    const made = this.#connect();
    // The caller that takes the connection handles the failure.
    made.catch(() => undefined);
    this.#ready.push(made);
  }

  async end(): Promise<void> {
    for (const ready of this.#ready.splice(0)) (await ready.catch(() => undefined))?.destroy();
  }
}
