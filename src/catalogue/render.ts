/**
 * Renderers of results and failures, one per output format. They escape all untrusted text. YAML and CSV have to be
 * loaded first (`loadFormat`).
 */
import type { HostTag } from '../domain/results/about.ts';
import { isSeveral } from '../domain/results/several.ts';
import { exitCodes, type Failure } from '../domain/failure.ts';
import { printable, printableLines, safeJson } from '../domain/text.ts';
import type { AnyVerb } from './catalogue.ts';
import type { Format } from './format.ts';
import { severalRows } from './declaration/several.ts';
import type { Block, Rows, ViewContext } from './declaration/view.ts';
import { columnsText } from './output/columns.ts';
import { namingFilters } from './output/noMatch.ts';
import { writer } from './loadFormat.ts';
import { failureSentences } from './output/sentences.ts';
import { textWidth } from './output/textWidth.ts';

export interface Rendered {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface Answer {
  readonly verb: AnyVerb;
  readonly result: unknown;
  /** The input of the call, whose filters an empty table names. */
  readonly input?: Readonly<Record<string, unknown>>;
  /** The journal record of the call; absent for verbs without records. */
  readonly journal?: { readonly seq: number; readonly hash: string } | undefined;
}

/** Renders a verb's result. Without a server there is no `host`. */
export function renderAnswer(
  answer: Answer,
  format: Format,
  host: HostTag | undefined,
  context: ViewContext,
): Rendered {
  const { verb, result } = answer;
  const exit = verb.exit?.(result as never) ?? 'ok';
  const exitCode = verb.exitStatus?.(result as never) ?? exitCodes[exit];
  switch (format) {
    case 'json':
    case 'yaml':
      return { stdout: renderDocument(envelope(answer, host, exit), format), stderr: '', exitCode };
    case 'csv':
      return { stdout: writer('csv').csvText(rowsOf(verb, result)), stderr: '', exitCode };
    case 'table': {
      const blocks = namingFilters(verb.view(result as never, context), verb, answer.input ?? {});
      return { stdout: renderBlocks(blocks), stderr: '', exitCode };
    }
  }
}

function rowsOf(verb: AnyVerb, result: unknown): Rows {
  if (isSeveral(result)) return severalRows(result);
  return verb.rows?.(result as never) ?? writer('csv').oneRow(result);
}

/** Renders a failure, as a document on stdout for JSON and YAML, otherwise as text on stderr. */
export function renderFailure(failure: Failure, command: string, format: Format, host?: HostTag): Rendered {
  const stderr = failureSentences(failure.toData());
  if (format === 'json' || format === 'yaml') {
    const document = failureDocument(failure, command, host);
    return { stdout: renderDocument(document, format), stderr: '', exitCode: failure.exitCode };
  }
  return { stdout: '', stderr, exitCode: failure.exitCode };
}

export function failureDocument(failure: Failure, command: string, host?: HostTag): unknown {
  return {
    ok: false,
    command,
    ...(host === undefined ? {} : { host }),
    error: { ...failure.toData(), exitCode: failure.exitCode },
  };
}

function envelope(answer: Answer, host: HostTag | undefined, exit: string): unknown {
  return {
    ok: exit === 'ok',
    command: answer.verb.name,
    ...(host === undefined ? {} : { host }),
    result: answer.result,
    ...(answer.journal === undefined ? {} : { journal: answer.journal }),
  };
}

export function renderDocument(document: unknown, format: 'json' | 'yaml'): string {
  return format === 'json' ? `${safeJson(document, 2)}\n` : writer('yaml').yamlText(document);
}

export function renderBlocks(blocks: readonly Block[]): string {
  const parts = blocks.map(renderBlock).filter((part) => part !== '');
  return parts.length === 0 ? '' : `${parts.join('\n')}\n`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return printableLines(block.text);
    case 'verbatim':
      return `${block.title === undefined ? '' : `${printableLines(block.title)}:\n`}${printableLines(block.text)}`;
    case 'fields': {
      const width = Math.max(0, ...block.fields.map(([label]) => textWidth(label)));
      const lines = block.fields.map(
        ([label, value]) => `  ${printable(label)}:${' '.repeat(width - textWidth(label) + 1)}${printable(value)}`,
      );
      return [...(block.title === undefined ? [] : [`${printableLines(block.title)}:`]), ...lines].join('\n');
    }
    case 'table':
      if (block.rows.length === 0) return printableLines(block.empty);
      return columnsText(
        block.columns,
        block.rows.map((row) => row.map((cell) => printable(cell))),
      );
  }
}
