/** What one client may use of the event loop. The keystrokes of all other clients wait meanwhile. */
import type { Connection } from 'ssh2';

/** A client's work may occupy the event loop for `maxTurnShareMs` in each turn of `turnMs`, in milliseconds. */
const turnMs = 100;
const maxTurnShareMs = 15;

export class ClientShare {
  #turnBeganMs = performance.now();
  #usedMs = 0;
  #next: NodeJS.Timeout | undefined;
  readonly #followers: ((isOver: boolean) => void)[] = [];
  readonly #waiting = new Set<() => void>();

  /** Counts work for this client that has just ended. */
  spend(ms: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#turnBeganMs > turnMs) {
      this.#turnBeganMs = nowMs - ms;
      this.#usedMs = 0;
    }
    this.#usedMs += ms;
    if (this.#next !== undefined || this.#usedMs <= maxTurnShareMs) return;
    this.#next = setTimeout(() => this.#begin(), turnMs);
    for (const follower of this.#followers) follower(true);
  }

  /** Calls `changed` with true when the client has used its share, then with false when it has another. */
  follow(changed: (isOver: boolean) => void): void {
    this.#followers.push(changed);
  }

  /** Calls `act` in a later turn of the event loop in which the client has its share. Returns what cancels that. */
  later(act: () => void): () => void {
    const take = (): void => {
      // The turn in which it was asked for may have used up the share.
      if (this.#next === undefined) act();
      else this.#waiting.add(begin);
    };
    let turn: NodeJS.Immediate;
    const begin = (): void => {
      turn = setImmediate(take);
    };
    begin();
    return () => {
      clearImmediate(turn);
      this.#waiting.delete(begin);
    };
  }

  /** The client is gone. */
  end(): void {
    clearTimeout(this.#next);
    this.#waiting.clear();
  }

  #begin(): void {
    this.#next = undefined;
    for (const follower of this.#followers) follower(false);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const begin of waiting) begin();
  }
}

const shares = new WeakMap<Connection, ClientShare>();

/** Returns the share of a connection's client. */
export function shareOf(connection: Connection): ClientShare {
  const known = shares.get(connection);
  if (known !== undefined) return known;
  const share = new ClientShare();
  shares.set(connection, share);
  return share;
}
