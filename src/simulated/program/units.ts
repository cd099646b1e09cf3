/** Sizes as Incus reads them: an integer and a suffix without a space between them (Incus documentation, "units"). */

const factors: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  PB: 1e15,
  EB: 1e18,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  PiB: 2 ** 50,
  EiB: 2 ** 60,
};

/** Returns a size in bytes, or undefined where Incus says "Invalid value". */
export function parseIncusSize(text: string): number | undefined {
  const [, digits, suffix] = /^(\d+)([A-Za-z]*)$/.exec(text) ?? [];
  if (digits === undefined || suffix === undefined || !Object.hasOwn(factors, suffix)) return undefined;
  return Number(digits) * (factors[suffix] ?? 1);
}
