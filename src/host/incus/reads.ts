/** Reads of Incus's REST API. Its documents are what every list, state and check is made of. */

export interface ReadOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Maximum length of the answer. Default: 16 MiB. */
  readonly maxBytes?: number | undefined;
}

/**
 * Reads one path, such as `/1.0/instances?recursion=1`. Rejects with `program-failed` (Incus refused; `details.stderr`
 * has its reason), `incus-unavailable`, `timeout`, `cancelled` or `unexpected-output` (too long, or no JSON).
 */
export interface IncusReads {
  /** Returns the metadata of a reply: a document, an array of documents, or an empty object. */
  document(path: string, options: ReadOptions): Promise<unknown>;
  /** Returns an answer that is text: the metrics, or the log of a console. */
  text(path: string, options: ReadOptions): Promise<string>;
}
