/** Calls `look` until it returns a value and resolves to that. Rejects after `limitMs` with the description `what`. */
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
      throw new Error(`did not happen within ${limitMs / 1000} s: ${typeof what === 'string' ? what : await what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
