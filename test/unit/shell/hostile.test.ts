/** Hostile text in every place in which a shell shows text, on a screen and in screen-reader mode. */
import { renderToString } from 'ink';
import { createElement, type FunctionComponent } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { verbNamed } from '../../../src/catalogue/catalogue.ts';
import type { Block } from '../../../src/catalogue/declaration/view.ts';
import type { EndedCall } from '../../../src/domain/events/notice.ts';
import { lineOf } from '../../../src/shell/composer/line.ts';
import { FormDialog } from '../../../src/shell/forms/formDialog.ts';
import { FormView } from '../../../src/shell/forms/FormView.tsx';
import type { Item } from '../../../src/shell/items/item.ts';
import { renderItem } from '../../../src/shell/items/renderItem.tsx';
import { ListAnnouncer } from '../../../src/shell/plain/listAnnouncer.ts';
import { failureSentence, sentences, valueInWords, type SaidItem } from '../../../src/shell/plain/sentences.ts';
import { choose, confirm } from '../../../src/shell/plain/prompts.ts';
import { Questionnaire } from '../../../src/shell/plain/questionnaire.ts';
import { StepAnnouncer } from '../../../src/shell/plain/stepAnnouncer.ts';
import { LiveCallLines } from '../../../src/shell/screen/LiveCallLines.tsx';
import { ComposerView } from '../../../src/shell/screen/ComposerView.tsx';
import { ConfirmView } from '../../../src/shell/screen/ConfirmView.tsx';
import { ConfirmDialog } from '../../../src/shell/screen/confirmDialog.ts';
import type { LiveCall } from '../../../src/shell/model/liveCalls.ts';
import { ListApp } from '../../../src/shell/views/ListApp.tsx';
import { emptyLine, headLine } from '../../../src/shell/views/layout/lines.ts';
import { ListModel } from '../../../src/shell/views/model/listModel.ts';
import { Pane } from '../../../src/shell/views/control/pane.ts';
import { FakeTerminal } from './plain/fakeTerminal.ts';
import { change, container, whole } from '../../support/containers.ts';
import { world } from './views/support.ts';
import type { StepEvent } from '../../../src/domain/events/callEvent.ts';

const evil = 'evil\u202e\u2066\u200b\u009b31m\u001b]0;x\u0007\u2028\ufeff';
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1Yb2xk5i2sLFFs2FzzC7fZ4bQ2Sv6o8Q8Yh3F0kB1u';
/** Independent of the definition in src/domain/text.ts. */
const forbidden = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** Expects text, line feeds and the shell's own colours, and the hostile text in escaped form. */
function harmless(text: string): void {
  // Ink's own colours.
  const plain = text.replaceAll(/\u001b\[[0-9;]*m/g, '');
  expect(plain).not.toMatch(forbidden);
  expect(plain).toContain('evil');
}

const step: StepEvent = { index: 1, total: 2, title: evil, state: 'done', elapsedMs: 100, detail: evil };
const ended = (outcome: EndedCall['outcome']): EndedCall => ({
  verb: evil,
  target: evil,
  actor: evil,
  outcome,
  durationMs: 1,
  endedAt: '2026-11-24T12:00:00.000Z',
  failure: outcome === 'ok' ? null : { code: 'internal', what: evil, why: evil },
});
const table: Block = {
  kind: 'table',
  columns: [{ title: 'NAME' }, { title: 'KEY' }],
  rows: [
    [evil, evil],
    ['b', evil],
  ],
  empty: '',
};

const items: readonly (readonly [what: string, item: Item])[] = [
  ['a typed line', { kind: 'command', line: evil }],
  ['a step', { kind: 'steps', steps: [{ ...step, title: 'Starting' }], notes: [] }],
  ['the title of a step', { kind: 'steps', steps: [{ ...step, detail: 'ok' }], notes: [] }],
  ['a note of steps', { kind: 'steps', steps: [], notes: [evil] }],
  ['the subject of a failure', { kind: 'failure', failure: { code: 'internal', what: evil, why: 'it is so' } }],
  ['the reason of a failure', { kind: 'failure', failure: { code: 'internal', what: 'it', why: evil } }],
  [
    'the next step of a failure',
    { kind: 'failure', failure: { code: 'internal', what: 'it', why: 'it is so', next: evil } },
  ],
  ["another admin's call", { kind: 'ended', call: ended('ok'), meanwhile: false }],
  ["another admin's failed call", { kind: 'ended', call: ended('failed'), meanwhile: true }],
  ['the name of a speaker', { kind: 'said', name: evil, text: 'hello' }],
  ['the words of a speaker', { kind: 'said', name: 'carol', text: evil }],
  ['a note', { kind: 'note', text: evil }],
  ['raw text', { kind: 'raw', text: evil }],
  ['a block of text', { kind: 'blocks', blocks: [{ kind: 'text', text: evil }] }],
  ['a text to copy', { kind: 'blocks', blocks: [{ kind: 'verbatim', text: evil }] }],
  ['the title of a text to copy', { kind: 'blocks', blocks: [{ kind: 'verbatim', title: evil, text: 'x' }] }],
  ['a label', { kind: 'blocks', blocks: [{ kind: 'fields', fields: [[evil, 'value']] }] }],
  ['a value', { kind: 'blocks', blocks: [{ kind: 'fields', fields: [['label', evil]] }] }],
  ['the title of fields', { kind: 'blocks', blocks: [{ kind: 'fields', title: evil, fields: [['label', 'value']] }] }],
  ['a table', { kind: 'blocks', blocks: [table] }],
  ['a long table', { kind: 'blocks', blocks: [{ ...table, rows: Array.from({ length: 61 }, () => [evil, evil]) }] }],
  ['a table without rows', { kind: 'blocks', blocks: [{ ...table, rows: [], empty: evil }] }],
];

describe.each([20, 80, 240])('on a screen of %i columns', (width) => {
  test.each(items)('%s is escaped', (_, item) => harmless(renderItem(item, width).replaceAll(/\n */g, '')));
});

describe('in screen-reader mode', () => {
  test.each(items.filter(([, { kind }]) => kind !== 'command' && kind !== 'steps'))('%s is escaped', (_, item) =>
    harmless(sentences(item as SaidItem).join('\n')),
  );

  test('a value that is part of a whole is escaped', () => {
    const value = valueInWords(`${evil.replaceAll(/[\u2028\n]/g, '')} 1 GiB / 2 GiB (50%)`);
    expect(value).toContain('1 GiB of 2 GiB, 50 percent');
    harmless(value);
  });

  test('a failure is escaped in each of its parts', () => {
    for (const part of ['what', 'why', 'next'])
      harmless(failureSentence({ code: 'internal', what: 'it', why: 'it is so', [part]: evil }));
  });

  test.each<[what: string, ask: (fake: FakeTerminal) => Promise<unknown>, ...typed: string[]]>([
    ['a choice', ({ terminal }) => choose(terminal, [{ value: evil }, { value: 'x' }]), '\r'],
    ['the description of a choice', ({ terminal }) => choose(terminal, [{ value: 'x', says: evil }]), '\r'],
    ['an invalid number', ({ terminal }) => choose(terminal, [{ value: 'x' }]), 'evil\u202e\u200b\r', '\r'],
    ['the title of a question', ({ terminal }) => confirm(terminal, { title: evil, facts: [], word: 'x' }), '\r'],
    [
      'the label of a fact',
      ({ terminal }) => confirm(terminal, { title: 'Delete?', facts: [[evil, 'x']], word: 'x' }),
      '\r',
    ],
    ['a fact', ({ terminal }) => confirm(terminal, { title: 'Delete?', facts: [['x', evil]], word: 'x' }), '\r'],
    ['the word to type', ({ terminal }) => confirm(terminal, { title: 'Delete?', facts: [], word: evil }), 'x\r', '\r'],
    [
      'an invalid value from the command line',
      ({ terminal }) =>
        new Questionnaire(
          { verb: verbNamed('create'), given: { user: evil } },
          { terminal, entryPoint: 'manage', complete: () => Promise.resolve([]) },
        ).run(),
      '\u0003',
    ],
    [
      'a key from the command line, also after going back to it',
      ({ terminal }) =>
        new Questionnaire(
          { verb: verbNamed('create'), given: { user: 'alice', keys: `${key} ${evil}` } },
          { terminal, entryPoint: 'manage', complete: () => Promise.resolve([]) },
        ).run(),
      'back\r',
      '\r',
      'done\r',
      '\u0003',
    ],
  ])('%s is escaped in a prompt', async (_, asking, ...typed) => {
    const fake = new FakeTerminal(...typed);
    await asking(fake);
    harmless(fake.written);
  });

  describe('an announcement', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    test('of a call is escaped for any actor', () => {
      const said: string[] = [];
      const announcer = new StepAnnouncer((text) => said.push(text));
      const liveCall: LiveCall = {
        id: 'a',
        title: evil,
        verb: 'create',
        target: 'bob',
        own: true,
        startedMs: 0,
        steps: [step],
        notes: [evil],
      };
      announcer.update([liveCall, { ...liveCall, id: 'b', own: false }]);
      announcer.finish([{ ...step, index: 2 }], [evil]);
      vi.advanceTimersByTime(5000);
      expect(said).toHaveLength(5);
      for (const text of said) harmless(text);
    });

    test('of the live list is escaped', () => {
      const announcer = new ListAnnouncer();
      const one = container('alice', { user: evil, name: evil, labels: { evil } });
      const lines = [
        ...announcer.announce(whole(one)).slice(0, 1),
        ...announcer.announce(change({ changed: [{ ...one, address: evil, labels: { x: evil } }] })),
        ...announcer.announce(change({ stale: evil })),
        ...announcer.announce(change({ removed: [evil], stale: evil })),
      ];
      expect(lines.length).toBeGreaterThan(3);
      for (const line of lines) harmless(line);
    });
  });
});

describe('the live part of the screen', () => {
  const draw = <P extends object>(view: FunctionComponent<P>, props: P): string =>
    renderToString(createElement(view, props), { columns: 200 });
  const place = { columns: 200, rows: 30, top: 0 };
  const composer = { line: lineOf(''), pasted: [], suggestions: undefined, search: undefined, leaving: false };

  test.each<[what: string, composer: object, more: object]>([
    ['the typed text', { line: lineOf(evil) }, {}],
    ['a pasted line', { pasted: [evil] }, {}],
    ['the search text', { search: { text: evil, found: 'list', skip: 0 } }, {}],
    ['the found line', { search: { text: 'x', found: evil, skip: 0 } }, {}],
    ['a candidate', { suggestions: { candidates: [{ value: evil }], selected: 0 } }, {}],
    ['the description of a candidate', { suggestions: { candidates: [{ value: 'x', says: evil }], selected: 0 } }, {}],
    ['a hint', {}, { hint: evil }],
    ['the status', {}, { status: evil }],
  ])('escapes %s', (_, change_, more) =>
    harmless(
      draw(ComposerView, {
        composer: { ...composer, ...change_ } as never,
        hint: undefined,
        status: '',
        ...place,
        ...more,
      }),
    ),
  );

  test.each<[what: string, change: object, line: string, mistyped: boolean]>([
    ['the title', { title: evil }, '', false],
    ['the label of a fact', { facts: [[evil, 'x']] }, '', false],
    ['a fact', { facts: [['x', evil]] }, '', false],
    ['the word to type', { word: evil }, '', false],
    ['the typed text', {}, evil, false],
    ['the word to type after a mistake', { word: evil }, '', true],
  ])('escapes %s of a question', (_, change_, line, mistyped) => {
    const dialog = new ConfirmDialog(
      { title: 'Delete?', facts: [], word: 'alice', ...change_ },
      () => undefined,
      () => undefined,
    );
    harmless(draw(ConfirmView, { dialog, line: lineOf(line), mistyped, ...place }));
  });

  test.each([0, 1, 4])('escapes the text and the error of a form, field %i', (at) => {
    const form = new FormDialog({
      verb: verbNamed('create'),
      given: { user: evil },
      entryPoint: 'manage',
      changed: () => undefined,
      done: () => undefined,
    } as never);
    harmless(draw(FormView, { form, state: { ...form.state, at }, ...place }));
    harmless(draw(FormView, { form, state: { ...form.state, at, error: evil }, ...place }));
  });

  test.each([true, false])('escapes a running call (own: %s)', (own) => {
    const liveCall: LiveCall = {
      id: 'a',
      title: evil,
      verb: 'create',
      target: 'bob',
      own,
      startedMs: performance.now(),
      steps: [step],
      notes: [],
    };
    for (const maxLines of [1, 5]) harmless(draw(LiveCallLines, { liveCalls: [liveCall], maxLines }));
    harmless(draw(LiveCallLines, { liveCalls: [{ ...liveCall, title: 'create' }], maxLines: 1 }));
  });
});

describe('the live list', () => {
  const text = ({ segments }: ReturnType<typeof emptyLine>): string => segments.map((segment) => segment.text).join('');

  test('escapes its first line and a filter without matches', () => {
    const model = new ListModel();
    model.apply(whole(container('alice')));
    model.setFilter(evil);
    for (const line of [headLine(model, '', 300), emptyLine(model)]) harmless(text(line));
    model.apply(change({ stale: evil }));
    harmless(text(headLine(model, '', 300)));
  });

  test('escapes a text to copy', () => {
    const pane = new Pane({ kind: 'text', title: 'x', width: 100, blocks: [{ kind: 'verbatim', text: evil }, table] });
    harmless(pane.window(50).lines.join('\n'));
  });

  test.each([
    ['a pane', { pane: new Pane({ kind: 'text', title: evil, width: 79, blocks: [] }) }],
    ['a message', { message: { tone: 'bad', text: evil } }],
    ['a filter', { typing: lineOf(evil) }],
  ])('escapes %s', (_, state) => {
    const { controller } = world();
    controller.apply(whole(container('alice')));
    controller.store.set({ ...controller.store.get(), ...state } as never);
    harmless(
      renderToString(
        createElement(ListApp, { controller, liveCalls: () => [], hostNote: '', onMount: () => undefined }),
        { columns: 79 },
      ),
    );
  });
});
