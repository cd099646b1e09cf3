/**
 * Connections whose login core has refused for lack of a place. A client asks for its session after the login, and only
 * a session has an exit code and standard error for the reason. So a few connections stay open for their first session.
 */

/** How long they stay open, in milliseconds. */
const maxMs = 10_000;

/** How many may wait at the same time. Others are disconnected with the reason, which OpenSSH shows too. */
const maxWaiting = 100;

export class RefusedLogins {
  #waiting = 0;

  /** Calls `end` when the connection has had its time, at once if too many wait. Returns what cancels that. */
  wait(end: () => void): () => void {
    if (this.#waiting >= maxWaiting) {
      end();
      return () => undefined;
    }
    this.#waiting++;
    let isWaiting = true;
    const stop = (): void => {
      if (isWaiting) this.#waiting--;
      isWaiting = false;
      clearTimeout(timer);
    };
    const timer = setTimeout(() => {
      stop();
      end();
    }, maxMs).unref();
    return stop;
  }
}
