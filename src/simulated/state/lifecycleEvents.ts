/** What has happened on the simulated host, told to whoever follows it: later and in order, as a server would. */
import type { LifecycleEvent } from '../../host/incus/streams.ts';

type Follower = (event: LifecycleEvent) => void;

export class Happenings {
  readonly #followers = new Set<Follower>();

  /** Follows from now on; the returned function ends it. */
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
