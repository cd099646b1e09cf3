/** Renderers of results and failures, one per output format. They escape all untrusted text. */
import Table from 'cli-table3';
import { stringify as csv } from 'csv-stringify/sync';
import stringWidth from 'string-width';
import { Document, visit } from 'yaml';
import type { HostTag } from '../domain/results/about.ts';
import { exitCodes, type Failure, type FailureData } from '../domain/failure.ts';
import { printable, printableLines, safeJson } from '../domain/text.ts';
import type { AnyVerb } from './catalogue.ts';
import type { Format } from './format.ts';
import type { Block, Rows, ViewContext } from './declaration/view.ts';

export interface Rendered {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface Answer {
  readonly verb: AnyVerb;
  readonly result: unknown;
  /** The journal record of the call; absent for verbs without records. */
  readonly journal?: { readonly seq: number; readonly hash: string } | undefined;
}

/** Renders a verb's result. */
export function renderAnswer(answer: Answer, format: Format, host: HostTag, context: ViewContext): Rendered {
  const { verb, result } = answer;
  const exit = verb.exit?.(result as never) ?? 'ok';
  const exitCode = verb.exitStatus?.(result as never) ?? exitCodes[exit];
  switch (format) {
    case 'json':
    case 'yaml':
      return { stdout: renderDocument(envelope(answer, host, exit), format), stderr: '', exitCode };
    case 'csv':
      return { stdout: renderCsv(verb.rows?.(result as never) ?? flat(result)), stderr: '', exitCode };
    case 'table':
      return { stdout: renderBlocks(verb.view(result as never, context)), stderr: '', exitCode };
  }
}

/** Renders a failure, as a document on stdout for JSON and YAML, otherwise as text on stderr. */
export function renderFailure(failure: Failure, command: string, format: Format, host?: HostTag): Rendered {
  const stderr = failureSentences(failure.toData());
  if (format === 'json' || format === 'yaml') {
    const document = {
      ok: false,
      command,
      ...(host === undefined ? {} : { host }),
      error: { ...failure.toData(), exitCode: failure.exitCode },
    };
    return { stdout: renderDocument(document, format), stderr: '', exitCode: failure.exitCode };
  }
  return { stdout: '', stderr, exitCode: failure.exitCode };
}

export function failureSentences(failure: FailureData): string {
  const lines = [
    `Error: ${failure.what}: ${failure.why} (${failure.code})`,
    ...(failure.next === undefined ? [] : [`Next: ${failure.next}`]),
  ];
  // Indents further lines, as in the messages of programs, so that none of them looks like our "Next:".
  return `${lines.map((line) => printableLines(line).replaceAll('\n', '\n  ')).join('\n')}\n`;
}

function envelope(answer: Answer, host: HostTag, exit: string): unknown {
  return {
    ok: exit === 'ok',
    command: answer.verb.name,
    host,
    result: answer.result,
    ...(answer.journal === undefined ? {} : { journal: answer.journal }),
  };
}

export function renderDocument(document: unknown, format: 'json' | 'yaml'): string {
  if (format === 'json') return `${safeJson(document, 2)}\n`;
  // The same value as in JSON. Text with unsafe characters goes into double quotes, where YAML has escapes.
  const yaml = new Document(JSON.parse(safeJson(document)));
  visit(yaml, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && printableLines(node.value) !== node.value) node.type = 'QUOTE_DOUBLE';
    },
  });
  return yaml
    .toString({ lineWidth: 0 })
    .split('\n')
    .map((line) => printable(line, yamlEscape))
    .join('\n');
}

/** Returns the escape sequence of YAML 1.2.2, section 5.7. */
function yamlEscape(character: string): string {
  return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
}

/** Renders CSV (RFC 4180) with a header. An apostrophe precedes text that a spreadsheet would read as a formula. */
function renderCsv(rows: Rows): string {
  return csv(
    rows.rows.map((row) => row.map((cell) => (typeof cell === 'string' ? printable(cell) : cell))),
    {
      header: true,
      columns: rows.columns.map((column) => printable(column)),
      cast: { boolean: (value) => String(value) },
      escape_formulas: true,
    },
  );
}

/** Returns the properties of a result as one row, for verbs that define no rows. */
function flat(result: unknown): Rows {
  const entries = Object.entries(result as Record<string, unknown>).map(
    ([key, value]) =>
      [
        key,
        value === null || ['string', 'number', 'boolean'].includes(typeof value)
          ? (value as string | number | boolean | null)
          : JSON.stringify(value),
      ] as const,
  );
  return { columns: entries.map(([key]) => key), rows: [entries.map(([, value]) => value)] };
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
      const width = Math.max(0, ...block.fields.map(([label]) => stringWidth(label)));
      const lines = block.fields.map(
        ([label, value]) => `  ${printable(label)}:${' '.repeat(width - stringWidth(label) + 1)}${printable(value)}`,
      );
      return [...(block.title === undefined ? [] : [`${printableLines(block.title)}:`]), ...lines].join('\n');
    }
    case 'table':
      if (block.rows.length === 0) return printableLines(block.empty);
      return renderTable(block);
  }
}

function renderTable(block: Extract<Block, { kind: 'table' }>): string {
  const none = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
  };
  const table = new Table({
    head: block.columns.map((column) => column.title),
    colAligns: block.columns.map((column) => column.align ?? 'left'),
    chars: { ...none, left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
    // No colours: the output is the same on every terminal and in every file.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of block.rows) table.push(row.map((cell) => printable(cell)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
