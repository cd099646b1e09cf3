/**
 * Returns a function that makes a value at its first call, and returns that value from then on. For what takes long to
 * make and most processes never need: a formatter of Intl takes up to 30 ms, as long as Node.js takes to start.
 */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
