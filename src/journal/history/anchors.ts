/**
 * Anchors: heads of the journal that were written outside of it. An attacker who can replace the whole journal can
 * make a new chain with new hashes, but not change what another disk or another host has of the old one.
 *
 * A file of anchors has one JSON object a line: `{"seq":1042,"hash":"<hash>","time":"2026-11-29T02:00:00.000Z"}`.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Failure } from '../../domain/failure.ts';
import type { ChainHead } from '../chain.ts';
import { errnoOf, unreadable } from '../failures.ts';
import { splitLines } from '../lines.ts';

export interface Anchor extends ChainHead {
  /** RFC 3339 UTC. */
  readonly time: string;
}

export interface AnchorFile {
  readonly path: string;
  /** By the number of the record; of several anchors of one record the first. `line` counts from 1. */
  readonly anchors: ReadonlyMap<number, Anchor & { readonly line: number }>;
  /** Number of lines that are no anchors, as an interrupted write leaves one. */
  readonly unreadable: number;
}

/** More anchors than a server makes in a thousand years. Further lines are not read. */
const maxAnchors = 1_000_000;

/** Reads a file of anchors; a missing file has none. Rejects with `journal-unwritable` if it cannot be read. */
export async function readAnchors(path: string, signal?: AbortSignal): Promise<AnchorFile> {
  const anchors = new Map<number, Anchor & { readonly line: number }>();
  let bad = 0;
  try {
    const file = await open(path, 'r');
    try {
      for await (const lines of splitLines(file.createReadStream({ autoClose: false }), signal))
        for (const { number, bytes } of lines) {
          const anchor = parseAnchor(bytes.toString('utf8'));
          if (anchor === undefined) bad += 1;
          else if (!anchors.has(anchor.seq) && anchors.size < maxAnchors)
            anchors.set(anchor.seq, { ...anchor, line: number });
        }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { path, anchors, unreadable: 0 };
    throw error instanceof Failure ? error : unreadable(path, error);
  }
  return { path, anchors, unreadable: bad };
}

function parseAnchor(line: string): Anchor | undefined {
  try {
    const { seq, hash, time } = JSON.parse(line) as Record<string, unknown>;
    const isAnchor =
      Number.isSafeInteger(seq) && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash) && typeof time === 'string';
    return isAnchor ? { seq: seq as number, hash, time } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Appends an anchor to a file and flushes it to disk. A new file has mode 0600. Rejects with the error of the system,
 * also if the path is a symbolic link.
 */
export async function appendAnchor(path: string, { seq, hash, time }: Anchor): Promise<void> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = constants;
  const file = await open(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_RDWR, 0o600);
  try {
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    // An interrupted write must not spoil the next line too.
    const begin = size > 0 && last[0] !== 0x0a ? '\n' : '';
    await file.appendFile(`${begin}${JSON.stringify({ seq, hash, time })}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
}
