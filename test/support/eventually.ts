/**
 * What `look` gives, as soon as it gives something: it is asked again and again. Rejects after `limitMs` with what did
 * not happen.
 */
export async function eventually<T>(
  look: () => Promise<T | undefined> | T | undefined,
  what: string | (() => Promise<string>),
  limitMs = 40_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > deadline)
      throw new Error(`This did not happen: ${typeof what === 'string' ? what : await what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
