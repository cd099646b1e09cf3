/** Sizes of memory and disk, in whole bytes. The units are those of IEC 80000-13 and SI. */
import bytes from 'bytes-iec';
import { Failure } from '../failure.ts';
import { joinChoices, quoted } from '../text.ts';

/**
 * Units of Incus (`units.ParseByteSizeString`), which are case-sensitive and take whole numbers only. Largest first, so
 * that {@link formatExact} prefers the larger of two equally short texts.
 */
const incusUnits = ['EiB', 'EB', 'PiB', 'PB', 'TiB', 'TB', 'GiB', 'GB', 'MiB', 'MB', 'KiB', 'kB', 'B'] as const;
const humanUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Number, spaces, letters. Limits the length of the number; no valid size needs more digits. */
const sizeText = /^(\d{1,30})(?:\.(\d{1,30}))? *([A-Za-z]*)$/;
/** Units in standard case (`GiB`, `kB`, `KB`), in lower case or in upper case. Not `Gb`, which means gigabits. */
const unitText = /^(?:[kKMGTPE]?B|[kKMGTPE]iB|(?:[kmgtpe]i?)?b|[KMGTPE]IB)$/;

/** A list formats thousands of sizes: each unit is looked up once. */
const unitBytes = new Map<string, bigint>();

function byteCount(unit: string): bigint {
  const known = unitBytes.get(unit);
  if (known !== undefined) return known;
  const parsed = bytes.parse(`1${unit}`);
  if (parsed === null) throw new Error(`bytes-iec does not know the unit ${unit}`);
  const count = BigInt(parsed);
  unitBytes.set(unit, count);
  return count;
}

/** {@link humanUnits} with their sizes, because a list formats hundreds of them for each key. */
const humanSteps = humanUnits.map((unit) => ({ unit, bytes: Number(byteCount(unit)) }));
const largestStep = { unit: 'PiB', bytes: Number(byteCount('PiB')) };

function grouped(count: bigint): string {
  return count.toString().replace(/\B(?=(?:\d{3}){1,20}$)/g, ',');
}

/** Returns `whole.fraction` units in bytes, or `undefined` if that is not a whole number (bytes-iec rounds down). */
function exactBytes(whole: string, fraction: string, unit: string): bigint | undefined {
  const scale = 10n ** BigInt(fraction.length);
  const product = BigInt(whole + fraction) * byteCount(unit);
  return product % scale === 0n ? product / scale : undefined;
}

function invalid(
  text: string,
  why: string,
  next = 'write a number and a unit, for example 512MiB, 4GiB or 50GB',
): Failure {
  return new Failure('invalid-size', { what: `size ${quoted(text)}`, why, next });
}

/** Returns the failure for a size without a full unit (`4`, `4G`, `4Gi`), which shows both readings. */
function ambiguous(text: string, number: string, letters: string): Failure {
  const [whole = '', fraction = ''] = number.split('.');
  if (letters === '' && fraction === '' && whole.length > 6) {
    return invalid(text, 'it has no unit', `write ${whole}B for bytes, or use another unit, for example 4GiB or 50GB`);
  }
  const prefix = (letters[0] ?? 'G').toUpperCase();
  const readings = [`${prefix === 'K' ? 'k' : prefix}B`, `${prefix}iB`].map((unit) => {
    const count = exactBytes(whole, fraction, unit);
    return {
      text: `${number}${unit}`,
      meaning: count === undefined ? 'not a whole number of bytes' : `${grouped(count)} bytes`,
    };
  });
  const missing = letters === '' ? 'it has no unit' : `"${letters}" is not a complete unit`;
  return invalid(
    text,
    `${missing}: ${readings.map((reading) => `${reading.text} is ${reading.meaning}`).join(', ')}`,
    `write ${joinChoices(readings.map((reading) => reading.text))}`,
  );
}

/**
 * Parses a size typed by a person and returns it in bytes: `4GB` is 4×10⁹, `4GiB` is 4×2³⁰. Decimals are allowed if
 * they make whole bytes (`1.5GiB`), and so are spaces before the unit. A number without a full unit is refused, because
 * people mean either. Throws `invalid-size`.
 */
export function parseSize(text: string): number {
  const match = sizeText.exec(text);
  if (match === null) {
    if (text === '') throw invalid(text, 'empty');
    if (/^[+-]/.test(text)) throw invalid(text, 'a size has no sign: give the total, not a difference');
    if (/^\d+,\d/.test(text))
      throw invalid(text, 'a size has no comma', 'use a decimal point and no thousands separators, for example 1.5GiB');
    if (/%$/.test(text)) throw invalid(text, 'percentages are not supported');
    throw invalid(text, 'not a number with a unit');
  }
  const [, whole = '', fraction = '', unit = ''] = match;
  const number = fraction === '' ? whole : `${whole}.${fraction}`;
  if (/^0*(?:\.0*)?$/.test(number)) throw invalid(text, 'zero');
  if (/^(?:[kmgtpe]i?)?$/i.test(unit)) throw ambiguous(text, number, unit);
  if (!unitText.test(unit)) {
    const bits = /^[kmgtpe]i?b$/i.test(unit);
    throw invalid(text, bits ? `"${unit}" means bits, not bytes` : `unknown unit ${quoted(unit, 20)}`);
  }
  const count = exactBytes(whole, fraction, unit);
  if (count === undefined)
    throw invalid(text, 'not a whole number of bytes', 'use a smaller unit, for example 1126MiB instead of 1.1GiB');
  if (count === 0n) throw invalid(text, 'zero');
  if (count > BigInt(Number.MAX_SAFE_INTEGER))
    throw invalid(text, `more than ${grouped(BigInt(Number.MAX_SAFE_INTEGER))} bytes`);
  return Number(count);
}

function checked(count: number): bigint {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`not a number of bytes: ${count}`);
  return BigInt(count);
}

/** Returns the shortest exact text for this many bytes in Incus's syntax: `4GiB`, `4GB`, `512MiB`, `1234567B`. */
export function formatExact(count: number): string {
  const exact = checked(count);
  if (exact === 0n) return '0B';
  return incusUnits
    .filter((unit) => exact % byteCount(unit) === 0n)
    .map((unit) => `${exact / byteCount(unit)}${unit}`)
    .reduce((shortest, candidate) => (candidate.length < shortest.length ? candidate : shortest));
}

/** Returns a size for people, rounded to one decimal of a binary unit: `1.5 GiB`, `512 MiB`. */
export function formatHuman(count: number): string {
  checked(count);
  // The first unit in which the rounded number is below 1024: 1023.99 MiB becomes 1 GiB, not 1024 MiB.
  const { unit, bytes: size } =
    humanSteps.find((step) => Number((count / step.bytes).toFixed(1)) < 1024) ?? largestStep;
  return `${Number((count / size).toFixed(1))} ${unit}`;
}

/**
 * Returns a limit for people, in the unit in which it was given: `50 GB`, `1.5 GiB`, `2000 MiB`. Rounded if it is not a
 * whole number of megabytes or a tenth of a larger unit.
 */
export function formatLimit(count: number): string {
  const exact = checked(count);
  for (const unit of incusUnits.slice(0, incusUnits.indexOf('MB') + 1)) {
    const tenths = unit === 'MiB' || unit === 'MB' ? 1n : 10n;
    if (exact >= byteCount(unit) && (exact * tenths) % byteCount(unit) === 0n)
      return `${Number((exact * tenths) / byteCount(unit)) / Number(tenths)} ${unit}`;
  }
  return formatHuman(count);
}

/**
 * Parses a value of `limits.memory` or of a disk's `size` in Incus and returns it in bytes. Undefined for empty text, a
 * percentage, an unknown unit, and more than JavaScript counts exactly.
 */
export function parseIncusSize(text: string): number | undefined {
  const match = /^(\d{1,19})([A-Za-z]*| bytes)$/.exec(text);
  if (match === null) return undefined;
  const [, whole = '', suffix = ''] = match;
  const unit = suffix === '' || suffix === ' bytes' ? 'B' : incusUnits.find((known) => known === suffix);
  if (unit === undefined) return undefined;
  const count = Number(BigInt(whole) * byteCount(unit));
  return Number.isSafeInteger(count) ? count : undefined;
}

/** Returns a share in whole percent, rounded down, so that only what is full is 100 % full; 0 of nothing. */
export function percentOf(partBytes: number, wholeBytes: number): number {
  return wholeBytes <= 0 ? 0 : Math.floor((partBytes / wholeBytes) * 100);
}
