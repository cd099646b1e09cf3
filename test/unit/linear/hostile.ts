/** Hostile text, and whether a function takes more time for it than its length explains. */

/** Pieces that make a long text expensive for a pattern or a loop that looks at parts of it again. */
// prettier-ignore
const pieces = [
  ' ', '\t', '\n', '\r\n', 'a', 'A', '0', '-', '.', ':', '/', '"', "'", '\\', '=', ',', ';', '!', '#', '$', '${', '(',
  '<', '[', '{', '*', '_', '`', '|', '@', '+', '~', '\0', '\x1b', '\x1b[', '\x1b[0;', '\x1b]', '\x9b', 'é', '\u0301',
  '\u200d', '👍🏽', '\ud800', ' a', 'a ', 'a-', 'a.', 'a=', '1.', '1h', ', ', 'ssh-', '10.0.0.1,', '\n- ', 'a: ', '["',
  '{"a":', '<a>', '&lt;', '--a=', 'label:',
];

/** A text that is as long as one wants. */
export type Hostile = (length: number) => string;

const repeated = (piece: string, length: number): string => piece.repeat(Math.ceil(length / piece.length));

/** Texts of one piece each, with an end that matches nothing, and begun in the middle. */
export const hostileTexts: readonly Hostile[] = textsOf(pieces);

export function textsOf(of: readonly string[]): Hostile[] {
  return of.flatMap((piece): Hostile[] => [
    (length) => `${repeated(piece, length)}!\x01`,
    (length) => `x${repeated(piece, length)}y`,
  ]);
}

/** Returns the processor time that a function takes, in milliseconds: other processes run on this machine too. */
function processorMs(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** Returns the shortest time of three, because one may also compile, or collect what others have left. */
function minMs(work: () => unknown): number {
  return Math.min(processorMs(work), processorMs(work), processorMs(work));
}

const length = 8192;
/** What is quicker than this, in milliseconds, cannot be told from noise. A quadratic pattern takes twice that. */
const quickMs = 30;
/** Four times the text takes a linear function four times as long, and a quadratic one sixteen times. */
const maxGrowth = 10;

/** Returns the beginning of a hostile text for which a function is not linear, if there is one. */
export function slowText(feed: (text: string) => unknown, texts = hostileTexts): string | undefined {
  const slow = texts.find((hostile) => {
    const [short, long] = [hostile(length / 4), hostile(length)];
    if (processorMs(() => feed(long)) < quickMs) return false;
    const ms = minMs(() => feed(long));
    return ms > quickMs && ms > maxGrowth * minMs(() => feed(short));
  });
  return slow === undefined ? undefined : `${JSON.stringify(slow(24))}…`;
}
