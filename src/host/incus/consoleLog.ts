/**
 * Console logs of containers. Incus 6.0 returns each piece of a running container's console only once, and keeps only
 * the unread part of a stopped one's (observed with liblxc 5.0). To show a log twice, it must be remembered here.
 */

/** Maximum length of a console log, in bytes; its end is kept. */
export const consoleLogBytes = 256 * 1024;

/** Maximum number of containers remembered; the log that was read longest ago is forgotten first. */
const maxContainers = 64;

/**
 * Control sequences (ECMA-48: CSI, OSC, and two-byte ones), which systemd uses for colours. They cannot overlap, so
 * matching is linear in any input.
 */
const controlSequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])/g;

/**
 * Returns the end of a log, from the start of a line, without control sequences and with plain line ends. The text is
 * still untrusted.
 */
export function plainLog(text: string): string {
  // A container writes \r\n, which its terminal turns into \r\r\n.
  const plain = text.replace(controlSequences, '').replace(/\r{1,2}\n/g, '\n');
  const bytes = Buffer.from(plain);
  if (bytes.length <= consoleLogBytes) return plain;
  const end = bytes.subarray(bytes.length - consoleLogBytes).toString();
  return end.slice(end.indexOf('\n') + 1);
}

interface Remembered {
  /** Identifies one start of one container. */
  readonly run: string;
  readonly text: string;
}

export class ConsoleLogs {
  readonly #remembered = new Map<string, Remembered>();

  /** Returns the log of a running container since its start. `text` is the part that was not read before. */
  running(name: string, run: string, text: string): string {
    const whole = plainLog(this.#before(name, run) + text);
    // Reinsert it as the last to be forgotten.
    this.#remembered.delete(name);
    this.#remembered.set(name, { run, text: whole });
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined && this.#remembered.size > maxContainers) this.#remembered.delete(oldest);
    return whole;
  }

  /**
   * Returns the log of a stopped container since its last start. If no output followed the last read, Incus returns the
   * part that was read as well.
   */
  stopped(name: string, run: string, text: string): string {
    const before = this.#before(name, run);
    const rest = plainLog(text);
    return rest.endsWith(before) ? rest : plainLog(before + rest);
  }

  forget(name: string): void {
    this.#remembered.delete(name);
  }

  #before(name: string, run: string): string {
    const known = this.#remembered.get(name);
    return known?.run === run ? known.text : '';
  }
}
