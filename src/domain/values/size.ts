/**
 * Amounts of memory and disk. Inside the system they are whole numbers of bytes; the units are those of IEC 80000-13
 * and SI.
 */
import bytes from 'bytes-iec';
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

/**
 * What Incus reads (`units.ParseByteSizeString`): case matters, only whole numbers. Largest first; binary first where
 * equally short.
 */
const incusUnits = ['EiB', 'EB', 'PiB', 'PB', 'TiB', 'TB', 'GiB', 'GB', 'MiB', 'MB', 'KiB', 'kB', 'B'] as const;
const humanUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Number, blanks, letters. Long digit strings are cut off here: no amount that counts needs them. */
const sizeText = /^(\d{1,30})(?:\.(\d{1,30}))? *([A-Za-z]*)$/;
/** As written (`GiB`, `kB`, `KB`), all lower case or all upper case. `Gb` is left out: it means gigabits. */
const unitText = /^(?:[kKMGTPE]?B|[kKMGTPE]iB|(?:[kmgtpe]i?)?b|[KMGTPE]IB)$/;

function byteCount(unit: string): bigint {
  const count = bytes.parse(`1${unit}`);
  if (count === null) throw new Error(`bytes-iec does not know the unit ${unit}`);
  return BigInt(count);
}

function grouped(count: bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * `whole.fraction` units as bytes, exact: `undefined` where it is not a whole number of bytes. bytes-iec itself rounds
 * down.
 */
function exactBytes(whole: string, fraction: string, unit: string): bigint | undefined {
  const scale = 10n ** BigInt(fraction.length);
  const product = BigInt(whole + fraction) * byteCount(unit);
  return product % scale === 0n ? product / scale : undefined;
}

function invalid(text: string, why: string, next = 'write a number and a unit: 512MiB, 4GiB, 50GB'): Failure {
  return new Failure('invalid-size', { what: `size ${quoted(text)}`, why, next });
}

/** What a number with a bare prefix may mean (`4`, `4G`, `4Gi`), in both readings. */
function ambiguous(text: string, number: string, letters: string): Failure {
  const [whole = '', fraction = ''] = number.split('.');
  if (letters === '' && fraction === '' && whole.length > 6) {
    return invalid(
      text,
      'it has no unit',
      `for that many bytes write ${whole}B; otherwise add the unit, as in 4GiB or 50GB`,
    );
  }
  const prefix = (letters[0] ?? 'G').toUpperCase();
  const readings = [`${prefix === 'K' ? 'k' : prefix}B`, `${prefix}iB`].map((unit) => {
    const count = exactBytes(whole, fraction, unit);
    return {
      text: `${number}${unit}`,
      meaning: count === undefined ? 'no whole number of bytes' : `${grouped(count)} bytes`,
    };
  });
  const missing = letters === '' ? 'it has no unit' : `"${letters}" is not a whole unit`;
  return invalid(
    text,
    `${missing}: ${readings.map((reading) => `${reading.text} is ${reading.meaning}`).join(', ')}`,
    `write ${readings.map((reading) => reading.text).join(' or ')}`,
  );
}

/**
 * A size as a person writes it, in bytes: `4GB` is 4×10⁹, `4GiB` is 4×2³⁰; decimals where they make whole bytes
 * (`1.5GiB`); blanks before the unit. A number without a whole unit is refused, since people mean either reading.
 * Throws `invalid-size`.
 */
export function parseSize(text: string): number {
  const match = sizeText.exec(text);
  if (match === null) {
    if (text === '') throw invalid(text, 'it is empty');
    if (/^[+-]/.test(text)) throw invalid(text, 'it has a sign, and a size is the whole amount, not a difference');
    if (/^\d+,\d/.test(text))
      throw invalid(text, 'it has a comma', 'write decimals with a point and no thousands separators: 1.5GiB');
    if (/%$/.test(text)) throw invalid(text, 'it is a percentage, and sizes are amounts of bytes here');
    throw invalid(text, 'it is not a number with a unit');
  }
  const [, whole = '', fraction = '', unit = ''] = match;
  const number = fraction === '' ? whole : `${whole}.${fraction}`;
  if (/^(?:[kmgtpe]i?)?$/i.test(unit)) throw ambiguous(text, number, unit);
  if (!unitText.test(unit)) {
    const bits = /^[kmgtpe]i?b$/i.test(unit);
    throw invalid(text, bits ? `"${unit}" means bits` : `${quoted(unit, 20)} is not a unit of size`);
  }
  const count = exactBytes(whole, fraction, unit);
  if (count === undefined)
    throw invalid(text, 'it is not a whole number of bytes', 'use a smaller unit: 1126MiB instead of 1.1GiB');
  if (count === 0n) throw invalid(text, 'it is zero');
  if (count > BigInt(Number.MAX_SAFE_INTEGER))
    throw invalid(text, `it is more than ${grouped(BigInt(Number.MAX_SAFE_INTEGER))} bytes`);
  return Number(count);
}

function checked(count: number): bigint {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`not a number of bytes: ${count}`);
  return BigInt(count);
}

/** The shortest exact text that Incus reads as this many bytes: `4GiB`, `4GB`, `512MiB`, `1234567B`. */
export function formatExact(count: number): string {
  const exact = checked(count);
  if (exact === 0n) return '0B';
  return incusUnits
    .filter((unit) => exact % byteCount(unit) === 0n)
    .map((unit) => `${exact / byteCount(unit)}${unit}`)
    .reduce((shortest, candidate) => (candidate.length < shortest.length ? candidate : shortest));
}

/** For terminals: binary units, at most one decimal: `1.5 GiB`, `512 MiB`. Rounded; {@link formatExact} is not. */
export function formatHuman(count: number): string {
  checked(count);
  // The first unit in which the rounded number stays below 1024, so that 1023.99 MiB shows as 1 GiB and not as 1024
  // MiB.
  const unit =
    humanUnits.find((candidate) => Number((count / Number(byteCount(candidate))).toFixed(1)) < 1024) ?? 'PiB';
  return `${Number((count / Number(byteCount(unit))).toFixed(1))} ${unit}`;
}

/**
 * What Incus stores in `limits.memory` or a disk's `size`, in bytes. `undefined` for what is not an amount: empty text,
 * a percentage, a unit that Incus does not have, or more than JavaScript counts exactly.
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
