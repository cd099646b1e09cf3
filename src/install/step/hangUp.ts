/** Keeps a change going when the terminal is lost, for example because the ssh connection of the admin breaks. */

const ignore = (): void => undefined;

/**
 * Does work that must not be cut in its middle: SIGHUP, and output that nobody can read any more, do not end this
 * process until it is done. The programs that it runs need `outlivesTerminal`: the kernel sends them SIGHUP too.
 */
export async function despiteHangUp<T>(work: () => Promise<T>): Promise<T> {
  const outputs = [process.stdout, process.stderr];
  const handlers = outputs.map((output) => output.listeners('error') as ((error: Error) => void)[]);
  process.on('SIGHUP', ignore);
  for (const output of outputs) output.removeAllListeners('error').on('error', ignore);
  try {
    return await work();
  } finally {
    outputs.forEach((output, i) => {
      output.off('error', ignore);
      for (const handler of handlers[i] ?? []) output.on('error', handler);
    });
    process.off('SIGHUP', ignore);
  }
}
