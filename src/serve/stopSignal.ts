/**
 * Resolves when this process is asked to stop: SIGTERM, or Ctrl-C.
 *
 * The listeners stay, so a second signal changes nothing. With `once` they would be gone while the signal is still
 * being handed out, and execa, which listens too as long as a program of its own runs (signal-exit), would believe
 * itself alone: it would kill that program and this process with it, in the middle of an operation.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
}
