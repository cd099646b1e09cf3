/** Window sizes come from the client, unchecked: 0 and 4294967295 are both legal in SSH, and neither is a terminal. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

function clamp(value: unknown, least: number, most: number, otherwise: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 1) return otherwise;
  return Math.min(Math.max(Math.trunc(value), least), most);
}

export function terminalSize(columns: unknown, rows: unknown): TerminalSize {
  return { columns: clamp(columns, 20, 400, 80), rows: clamp(rows, 5, 150, 24) };
}
