/**
 * What containers have said on their consoles. Incus 6.0 hands out each piece of a running container's console once,
 * and keeps of a stopped one only what was not read before (observed with liblxc 5.0): whoever wants to read it twice
 * has to remember it.
 */

/** How much of a console log is kept and shown, in bytes: its end. */
export const consoleLogBytes = 256 * 1024;

/** Of more containers than this the log that was read longest ago is forgotten. */
const maxContainers = 64;

/**
 * Control sequences (ECMA-48: CSI, OSC, and two-byte ones), which systemd uses for colours. Linear in any input: none
 * can overlap.
 */
const controlSequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])/g;

/**
 * The end of a log, beginning with a whole line, without control sequences and with plain line ends. Still what
 * somebody else wrote.
 */
export function plainLog(text: string): string {
  // A container writes \r\n, and its terminal makes \r\r\n of it.
  const plain = text.replace(controlSequences, '').replace(/\r{1,2}\n/g, '\n');
  const bytes = Buffer.from(plain);
  if (bytes.length <= consoleLogBytes) return plain;
  const end = bytes.subarray(bytes.length - consoleLogBytes).toString();
  return end.slice(end.indexOf('\n') + 1);
}

interface Remembered {
  /** Names one start of one container. */
  readonly run: string;
  readonly text: string;
}

export class ConsoleLogs {
  readonly #remembered = new Map<string, Remembered>();

  /** What a running container has said since it was started, of which `text` was not read before. */
  running(name: string, run: string, text: string): string {
    const whole = plainLog(this.#before(name, run) + text);
    // Set anew, so that it is the last to be forgotten.
    this.#remembered.delete(name);
    this.#remembered.set(name, { run, text: whole });
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined && this.#remembered.size > maxContainers) this.#remembered.delete(oldest);
    return whole;
  }

  /**
   * What a stopped container had said since it was last started. Incus keeps what was read too where nothing came after
   * it.
   */
  stopped(name: string, run: string, text: string): string {
    const before = this.#before(name, run);
    const rest = plainLog(text);
    return rest.endsWith(before) ? rest : plainLog(before + rest);
  }

  #before(name: string, run: string): string {
    const known = this.#remembered.get(name);
    return known?.run === run ? known.text : '';
  }
}
