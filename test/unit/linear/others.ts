/** Functions and classes that take text from outside together with something else, or in pieces. */
import { loadFormat } from '../../../src/catalogue/loadFormat.ts';
import { commandName, parseCommandLine } from '../../../src/catalogue/parse.ts';
import { complete } from '../../../src/catalogue/completion.ts';
import { renderBlocks, renderDocument } from '../../../src/catalogue/render.ts';
import type { Block } from '../../../src/catalogue/declaration/view.ts';
import { similar } from '../../../src/catalogue/similar.ts';
import { splitLine } from '../../../src/catalogue/tokens.ts';
import { allVerbs, verbNamed } from '../../../src/catalogue/catalogue.ts';
import { forJournal } from '../../../src/core/calls/journalForm.ts';
import { matchKeys } from '../../../src/domain/keys/publicKey.ts';
import { typeFault } from '../../../src/domain/keys/keyText.ts';
import { safeJson } from '../../../src/domain/text.ts';
import { parseUntil, parseWhen } from '../../../src/domain/values/time.ts';
import { LineReader } from '../../../src/front/sessions/lineReader.ts';
import { parseReply } from '../../../src/host/incus/socket.ts';
import { parseLine as parseRecord } from '../../../src/journal/chain.ts';
import { texts, text as textOf } from '../../../src/repository/stores/xml.ts';
import { checkSettings } from '../../../src/settings/settings.ts';
import { Composer } from '../../../src/shell/composer/composer.ts';
import { History } from '../../../src/shell/composer/history.ts';
import { keysOf } from '../../../src/shell/composer/keys.ts';
import * as edit from '../../../src/shell/composer/line.ts';
import { windowOf } from '../../../src/shell/composer/window.ts';
import { judge, fieldsOf } from '../../../src/shell/forms/fields.ts';
import { pad } from '../../../src/shell/items/fit.ts';
import { renderItem } from '../../../src/shell/items/renderItem.tsx';
import { parseLine } from '../../../src/shell/model/parseLine.ts';
import { EchoedLine } from '../../../src/shell/plain/echoedLine.ts';
import { TypedKeys } from '../../../src/shell/plain/typedKeys.ts';
import { InputPacer } from '../../../src/shell/terminal/inputPacer.ts';
import { SequenceReader } from '../../../src/shell/terminal/sequenceReader.ts';
import { TerminalModes } from '../../../src/shell/terminal/terminalModes.ts';
import { cell, cut, wrapped } from '../../../src/shell/views/layout/cells.ts';
import { textsOf, type Hostile } from './hostile.ts';
import { parseFilter } from '../../../src/shell/views/model/filter.ts';

await loadFormat('yaml');
await loadFormat('csv');

const admin = { name: 'carol', role: 'admin', entryPoint: 'manage' } as const;
const now = new Date('2026-11-24T12:00:00Z');
const create = verbNamed('create');
const names = ['alice', 'bob', 'carol-of-the-long-name'];

const composer = (): Composer =>
  new Composer(new History(['list', 'create alice']), {
    changed: () => undefined,
    submit: () => undefined,
    submitPasted: () => undefined,
    refuse: () => undefined,
    leave: () => undefined,
    leaveAtOnce: () => undefined,
    hasInputEnded: () => false,
    stop: () => false,
    clearScreen: () => undefined,
    complete: () => Promise.resolve({ from: 0, candidates: [], after: '' }),
    openView: () => undefined,
  });

const blocksOf = (text: string): Block[] => [
  {
    kind: 'table',
    columns: [{ title: 'NAME' }, { title: 'WHAT' }],
    rows: [
      [text, 'a'],
      ['b', text],
    ],
    empty: '',
  },
  { kind: 'fields', title: text, fields: [[text, text]] },
  { kind: 'text', text },
  { kind: 'verbatim', text },
];

export interface Other {
  readonly name: string;
  readonly feed: (text: string) => unknown;
  /** For what is slow, though linear: only pieces that are of another width than their length. */
  readonly texts?: readonly Hostile[];
}

const wide = textsOf([' ', 'a ', '界', '👍🏽', '\u200d']);

export const others: readonly Other[] = [
  { name: 'a command line', feed: (text) => parseCommandLine(splitLine(text), admin) },
  { name: 'a command line of one long word', feed: (text) => parseCommandLine(['create', text], admin) },
  { name: 'the value of an option', feed: (text) => parseCommandLine(['create', 'alice', `--label=${text}`], admin) },
  { name: 'the name of a command', feed: (text) => commandName(text.split(' ')) },
  { name: 'the search for similar names', feed: (text) => similar(text, names) },
  {
    name: 'completion',
    feed: (text) =>
      void complete(text, text.length, {
        verbs: allVerbs,
        builtins: [],
        entryPoint: 'manage',
        ask: () => Promise.resolve([]),
      }),
  },
  { name: 'a line of the shell', feed: (text) => parseLine(text, admin) },
  { name: 'a line that is said', feed: (text) => parseLine(`say ${text}`, admin) },
  { name: 'a table', feed: (text) => renderBlocks(blocksOf(text)), texts: wide },
  {
    name: 'a table on a screen',
    feed: (text) => renderItem({ kind: 'blocks', blocks: blocksOf(text) }, 80),
    texts: wide,
  },
  { name: 'a line that a shell repeats', feed: (text) => renderItem({ kind: 'command', line: text }, 80), texts: wide },
  { name: 'a JSON document', feed: (text) => renderDocument({ [text]: text }, 'json') },
  { name: 'a YAML document', feed: (text) => renderDocument({ [text]: [text] }, 'yaml') },
  { name: 'JSON for the journal', feed: (text) => safeJson(forJournal({ text })) },
  { name: 'a time', feed: (text) => parseWhen(text, now) },
  { name: 'a time to come', feed: (text) => parseUntil(text, now) },
  { name: 'the type of a key', feed: (text) => typeFault(text, text) },
  { name: 'the choice of a key', feed: (text) => matchKeys([], text) },
  { name: 'a record of the journal', feed: (text) => parseRecord(Buffer.from(text)) },
  { name: 'an answer of Incus', feed: (text) => parseReply({ method: 'GET', path: '/1.0' }, text) },
  { name: 'a document of S3', feed: (text) => [texts(text, 'a'), textOf(`<a>${text}</a>`, 'a')] },
  { name: 'a setting', feed: (text) => checkSettings({ listen: text, [text]: text }, 'a file') },
  { name: 'a paste into the composer', feed: (text) => composer().paste(text) },
  { name: 'typed text in the composer', feed: (text) => composer().key({ name: 'text', text }) },
  { name: 'keys in one packet', feed: (text) => keysOf(text, {} as Parameters<typeof keysOf>[1]) },
  { name: 'the words of a line', feed: (text) => edit.wordLeft(edit.killBlankWord(edit.lineOf(text)).line) },
  { name: 'the visible part of a line', feed: (text) => windowOf(edit.lineOf(text), 80) },
  { name: 'a field of a form', feed: (text) => fieldsOf(create, 'manage').map((field) => judge(create, field, text)) },
  { name: 'a line that is echoed', feed: (text) => new EchoedLine('> ', () => 80).insert(text) },
  { name: 'keys without a screen', feed: (text) => new TypedKeys().push(text) },
  {
    name: 'a line on a terminal',
    feed: (text) => {
      const none = (): void => undefined;
      const reader = new LineReader({
        echo: none,
        columns: 80,
        line: none,
        ended: none,
        interrupted: none,
        hold: none,
      });
      reader.push(Buffer.from(text));
      reader.cancel();
    },
  },
  {
    name: 'input for Ink',
    feed: (text) => {
      const pacer = new InputPacer(
        () => undefined,
        () => undefined,
        () => () => undefined,
      );
      pacer.push([{ kind: 'text', text }]);
      pacer.close();
    },
  },
  {
    name: 'what a terminal sends',
    feed: (text) => {
      const reader = new SequenceReader(() => undefined);
      reader.push(Buffer.from(text));
      reader.forgetEscape();
    },
  },
  { name: 'modes of a terminal', feed: (text) => new TerminalModes().read(text) },
  { name: 'a cell of the live list', feed: (text) => [cell(text, 40), cut(text, 40), pad(text, 40)] },
  { name: 'broken lines', feed: (text) => wrapped(text, 80) },
  { name: 'a filter', feed: (text) => parseFilter(text)({ text: text.toLowerCase(), labels: { a: 'b' } }) },
];
