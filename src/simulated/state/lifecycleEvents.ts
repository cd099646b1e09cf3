/** Delivers the lifecycle events of the simulated host to its followers, in order and asynchronously, like a server. */
import type { LifecycleEvent } from '../../host/incus/streams.ts';

type Follower = (event: LifecycleEvent) => void;

export class LifecycleEvents {
  readonly #followers = new Set<Follower>();

  /** Adds a follower and returns a function that removes it. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  publish(events: readonly LifecycleEvent[]): void {
    const followers = [...this.#followers];
    for (const event of events) {
      setImmediate(() => {
        for (const follower of followers) if (this.#followers.has(follower)) follower(event);
      });
    }
  }
}
