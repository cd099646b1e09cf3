/**
 * Resolves with the signal that asks this process to stop: SIGTERM, or SIGINT (Ctrl-C).
 *
 * The listeners stay, so a second signal changes nothing. With `once` they would be removed while the signal is still
 * being delivered. execa, which listens too while one of its programs runs (signal-exit), would then find no other
 * listener, and kill both its program and this process in the middle of an operation.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
}
