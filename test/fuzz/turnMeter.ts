/**
 * Measures the turns of the event loop of another process, in CPU time. The CPU time between a packet and its answer
 * is no measure of a turn: until a busy machine lets the client run, the process does the work that it has put off to
 * later turns.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Inspector } from '../soak/inspector.ts';

/** The mean turn of an idle process, in milliseconds. Such a turn contains the meter's own work only: microseconds. */
const idleMs = 0.2;
/** How many readings in a row are idle when the process has done all its work, and the time between two of them. */
const idleReadings = 3;
const betweenReadingsMs = 5;

interface Turns {
  readonly turns: number;
  /** CPU time, in milliseconds. */
  readonly totalMs: number;
  readonly maxMs: number;
}

/**
 * Runs in the other process: an immediate measures the turn since the last one. `process.threadCpuUsage` counts the CPU
 * time of the thread, as the kernel does at each of its ticks, of 4 ms at most.
 */
const start = `(() => {
  const used = () => { const { user, system } = process.threadCpuUsage(); return (user + system) / 1000; };
  const none = () => ({ turns: 0, totalMs: 0, maxMs: 0 });
  let measured = none();
  let isOn = true;
  let before = used();
  const turn = () => {
    const now = used();
    const ms = now - before;
    before = now;
    measured.turns++;
    measured.totalMs += ms;
    measured.maxMs = Math.max(measured.maxMs, ms);
    if (isOn) setImmediate(turn);
  };
  setImmediate(turn);
  globalThis.turnMeter = {
    read: () => { const read = measured; measured = none(); return read; },
    stop: () => { isOn = false; },
  };
})()`;

export class TurnMeter {
  readonly #inspector: Inspector;

  constructor(inspector: Inspector) {
    this.#inspector = inspector;
  }

  async start(): Promise<void> {
    await this.#inspector.evaluate(start);
    await this.maxMs();
  }

  /** Waits until the process is idle. Resolves to the longest turn since the last call, in milliseconds. */
  async maxMs(): Promise<number> {
    let max = 0;
    for (let idle = 0; idle < idleReadings;) {
      const { turns, totalMs, maxMs } = await this.#inspector.evaluate<Turns>('turnMeter.read()');
      max = Math.max(max, maxMs);
      idle = totalMs < idleMs * turns ? idle + 1 : 0;
      await pause(betweenReadingsMs);
    }
    return max;
  }

  async stop(): Promise<void> {
    await this.#inspector.evaluate('turnMeter.stop()');
  }
}
