/** The size of a client's terminal in characters, within bounds. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

function clamp(value: unknown, min: number, max: number, otherwise: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 1) return otherwise;
  return Math.min(Math.max(Math.trunc(value), min), max);
}

/** Bounds a size from the client: SSH allows 0 and 4294967295, and no terminal has either. */
export function terminalSize(columns: unknown, rows: unknown): TerminalSize {
  return { columns: clamp(columns, 20, 400, 80), rows: clamp(rows, 5, 150, 24) };
}
