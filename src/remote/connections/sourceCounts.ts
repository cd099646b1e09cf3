/** Counts the open connections of each source: an IPv4 address, or the /64 network of an IPv6 address. */
import { sourceOf } from '../../domain/values/network.ts';

export class SourceCounts {
  readonly #counts = new Map<string, number>();

  of(address: string): number {
    return this.#counts.get(sourceOf(address)?.text ?? '') ?? 0;
  }

  add(address: string, change: 1 | -1): void {
    const source = sourceOf(address)?.text ?? '';
    const count = (this.#counts.get(source) ?? 0) + change;
    if (count > 0) this.#counts.set(source, count);
    else this.#counts.delete(source);
  }
}
