/** Opens the journal, and finds the operations that an earlier start left unfinished. */
import type { JournalFiles } from '../../journal/files.ts';
import { Journal } from '../../journal/journal.ts';
import { OpenOperationsReader } from '../../journal/openOperations.ts';
import { Operations, type OperationsOptions } from '../../journal/operations.ts';

export interface OpenJournalOptions {
  readonly folder: string;
  readonly segmentBytes?: number | undefined;
  readonly files?: JournalFiles | undefined;
  /** Every kind of step that an operation of an earlier start may have begun. */
  readonly kinds: OperationsOptions['kinds'];
  readonly undoRetry?: OperationsOptions['undoRetry'];
  /** Called when a new segment has begun. */
  readonly rotated?: () => void;
}

export interface OpenedJournal {
  readonly journal: Journal;
  readonly operations: Operations;
}

/** Opens the journal and adopts the unfinished operations. {@link Operations.recover} ends them later. */
export async function openJournal({
  folder,
  segmentBytes,
  files,
  kinds,
  undoRetry,
  rotated,
}: OpenJournalOptions): Promise<OpenedJournal> {
  const opened: { operations?: Operations } = {};
  const journal = await Journal.open({
    folder,
    carry: () => opened.operations?.carry() ?? null,
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
    ...(files === undefined ? {} : { files }),
    ...(rotated === undefined ? {} : { rotated }),
  });
  const operations = new Operations({ recorder: journal, kinds, ...(undoRetry === undefined ? {} : { undoRetry }) });
  opened.operations = operations;
  const reader = new OpenOperationsReader();
  for await (const record of journal.currentSegment()) reader.read(record);
  operations.adopt(reader.operations());
  return { journal, operations };
}
