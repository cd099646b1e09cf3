/** Every place in which a shell shows text, with hostile text in all of them: on a screen, and as sentences. */
import { renderToString } from 'ink';
import { createElement, type FunctionComponent } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { verbNamed } from '../../../src/catalogue/catalogue.ts';
import type { Block } from '../../../src/catalogue/declaration/view.ts';
import type { EndedCall } from '../../../src/domain/events/notice.ts';
import { lineOf } from '../../../src/shell/composer/line.ts';
import { FormDialog } from '../../../src/shell/forms/form.ts';
import { FormView } from '../../../src/shell/forms/FormView.tsx';
import type { Item } from '../../../src/shell/items/item.ts';
import { renderItem } from '../../../src/shell/items/renderItem.tsx';
import { ListTeller } from '../../../src/shell/plain/following.ts';
import { failureSentence, sentences, valueInWords, type SaidItem } from '../../../src/shell/plain/sentences.ts';
import { choose, confirm } from '../../../src/shell/plain/asking.ts';
import { Questionnaire } from '../../../src/shell/plain/questionnaire.ts';
import { StepTeller } from '../../../src/shell/plain/stepTeller.ts';
import { LiveCallLines } from '../../../src/shell/screen/LiveCallLines.tsx';
import { ComposerView } from '../../../src/shell/screen/ComposerView.tsx';
import { ConfirmView } from '../../../src/shell/screen/ConfirmView.tsx';
import { ConfirmDialog } from '../../../src/shell/screen/dialog.ts';
import type { LiveCall } from '../../../src/shell/model/liveCalls.ts';
import { ListApp } from '../../../src/shell/views/ListApp.tsx';
import { emptyLine, headLine } from '../../../src/shell/views/layout/lines.ts';
import { ListModel } from '../../../src/shell/views/model/model.ts';
import { Pane } from '../../../src/shell/views/control/pane.ts';
import { Paper } from './plain/paper.ts';
import { change, container, whole } from '../../support/containers.ts';
import { world } from './views/support.ts';
import type { StepEvent } from '../../../src/domain/events/callEvent.ts';

const evil = 'evil\u202e\u2066\u200b\u009b31m\u001b]0;x\u0007\u2028\ufeff';
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1Yb2xk5i2sLFFs2FzzC7fZ4bQ2Sv6o8Q8Yh3F0kB1u';
/** Written here once more, apart from what src/domain/text.ts goes by. */
const forbidden = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** Nothing but text, line feeds, and colours of the shell's own; and the hostile text is among it. */
function harmless(text: string): void {
  // Ink colours and resets.
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
  ['what was typed', { kind: 'command', line: evil }],
  ['a step', { kind: 'steps', steps: [{ ...step, title: 'Starting' }], notes: [] }],
  ['the title of a step', { kind: 'steps', steps: [{ ...step, detail: 'ok' }], notes: [] }],
  ['a note of steps', { kind: 'steps', steps: [], notes: [evil] }],
  ['what failed', { kind: 'failure', failure: { code: 'internal', what: evil, why: 'it is so' } }],
  ['why it failed', { kind: 'failure', failure: { code: 'internal', what: 'it', why: evil } }],
  ['what to do next', { kind: 'failure', failure: { code: 'internal', what: 'it', why: 'it is so', next: evil } }],
  ['what somebody did', { kind: 'ended', call: ended('ok'), meanwhile: false }],
  ['what somebody failed to do', { kind: 'ended', call: ended('failed'), meanwhile: true }],
  ['who said something', { kind: 'said', name: evil, text: 'hello' }],
  ['what somebody said', { kind: 'said', name: 'carol', text: evil }],
  ['a note', { kind: 'note', text: evil }],
  ['text as it came', { kind: 'raw', text: evil }],
  ['a block of text', { kind: 'blocks', blocks: [{ kind: 'text', text: evil }] }],
  ['what is to be copied', { kind: 'blocks', blocks: [{ kind: 'verbatim', text: evil }] }],
  ['its title', { kind: 'blocks', blocks: [{ kind: 'verbatim', title: evil, text: 'x' }] }],
  ['a label', { kind: 'blocks', blocks: [{ kind: 'fields', fields: [[evil, 'value']] }] }],
  ['a value', { kind: 'blocks', blocks: [{ kind: 'fields', fields: [['label', evil]] }] }],
  ['the title of fields', { kind: 'blocks', blocks: [{ kind: 'fields', title: evil, fields: [['label', 'value']] }] }],
  ['a table', { kind: 'blocks', blocks: [table] }],
  ['a long table', { kind: 'blocks', blocks: [{ ...table, rows: Array.from({ length: 61 }, () => [evil, evil]) }] }],
  ['a table without rows', { kind: 'blocks', blocks: [{ ...table, rows: [], empty: evil }] }],
];

describe.each([20, 80, 240])('on a screen of %i columns', (width) => {
  test.each(items)('%s is written out', (_, item) => harmless(renderItem(item, width).replaceAll(/\n */g, '')));
});

describe('as sentences', () => {
  test.each(items.filter(([, { kind }]) => kind !== 'command' && kind !== 'steps'))('%s is written out', (_, item) =>
    harmless(sentences(item as SaidItem).join('\n')),
  );

  test('a value with a part of a whole is, too', () => {
    const value = valueInWords(`${evil.replaceAll(/[\u2028\n]/g, '')} 1 GiB / 2 GiB (50%)`);
    expect(value).toContain('1 GiB of 2 GiB, 50 percent');
    harmless(value);
  });

  test('a failure is, in each of its parts', () => {
    for (const part of ['what', 'why', 'next'])
      harmless(failureSentence({ code: 'internal', what: 'it', why: 'it is so', [part]: evil }));
  });

  test.each<[what: string, ask: (paper: Paper) => Promise<unknown>, ...typed: string[]]>([
    ['a choice', ({ desk }) => choose(desk, [{ value: evil }, { value: 'x' }]), '\r'],
    ['what is said of a choice', ({ desk }) => choose(desk, [{ value: 'x', says: evil }]), '\r'],
    ['a number that is none', ({ desk }) => choose(desk, [{ value: 'x' }]), 'evil\u202e\u200b\r', '\r'],
    ['what will be lost', ({ desk }) => confirm(desk, { title: evil, facts: [], word: 'x' }), '\r'],
    ['the name of a fact', ({ desk }) => confirm(desk, { title: 'Delete?', facts: [[evil, 'x']], word: 'x' }), '\r'],
    ['a fact', ({ desk }) => confirm(desk, { title: 'Delete?', facts: [['x', evil]], word: 'x' }), '\r'],
    ['a word to be typed', ({ desk }) => confirm(desk, { title: 'Delete?', facts: [], word: evil }), 'x\r', '\r'],
    [
      'what was given and is wrong',
      ({ desk }) =>
        new Questionnaire(
          { verb: verbNamed('create'), given: { user: evil } },
          { desk, entryPoint: 'manage', complete: () => Promise.resolve([]) },
        ).run(),
      '\u0003',
    ],
    [
      'a key that was given, when its turn comes and when somebody goes back to it',
      ({ desk }) =>
        new Questionnaire(
          { verb: verbNamed('create'), given: { user: 'alice', keys: `${key} ${evil}` } },
          { desk, entryPoint: 'manage', complete: () => Promise.resolve([]) },
        ).run(),
      'back\r',
      '\r',
      'done\r',
      '\u0003',
    ],
  ])('%s is, where somebody is asked', async (_, asking, ...typed) => {
    const paper = new Paper(...typed);
    await asking(paper);
    harmless(paper.written);
  });

  describe('what goes on', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    test('is, of oneself and of others', () => {
      const said: string[] = [];
      const teller = new StepTeller((text) => said.push(text));
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
      teller.look([liveCall, { ...liveCall, id: 'b', own: false }]);
      teller.finish([{ ...step, index: 2 }], [evil]);
      vi.advanceTimersByTime(5000);
      expect(said).toHaveLength(5);
      for (const text of said) harmless(text);
    });

    test('is in the live list', () => {
      const teller = new ListTeller();
      const one = container('alice', { name: evil, labels: { evil } });
      const lines = [
        ...teller.tell(whole(one)).slice(0, 1),
        ...teller.tell(change({ changed: [{ ...one, address: evil, labels: { x: evil } }] })),
        ...teller.tell(change({ stale: evil })),
        ...teller.tell(change({ removed: ['alice'], stale: evil })),
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
  const composer = { line: lineOf(''), suggestions: undefined, search: undefined, leaving: false };

  test.each<[what: string, composer: object, more: object]>([
    ['what is typed', { line: lineOf(evil) }, {}],
    ['what is searched for', { search: { text: evil, found: 'list', skip: 0 } }, {}],
    ['what was found', { search: { text: 'x', found: evil, skip: 0 } }, {}],
    ['a candidate', { suggestions: { candidates: [{ value: evil }], selected: 0 } }, {}],
    ['what is said of one', { suggestions: { candidates: [{ value: 'x', says: evil }], selected: 0 } }, {}],
    ['a hint', {}, { hint: evil }],
    ['the status', {}, { status: evil }],
  ])('shows %s written out', (_, change_, more) =>
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
    ['its title', { title: evil }, '', false],
    ['the label of a fact', { facts: [[evil, 'x']] }, '', false],
    ['a fact', { facts: [['x', evil]] }, '', false],
    ['what has to be typed', { word: evil }, '', false],
    ['what was typed', {}, evil, false],
    ['what should have been typed', { word: evil }, '', true],
  ])('asks with %s written out', (_, change_, line, mistyped) => {
    const dialog = new ConfirmDialog(
      { title: 'Delete?', facts: [], word: 'alice', ...change_ },
      () => undefined,
      () => undefined,
    );
    harmless(draw(ConfirmView, { dialog, line: lineOf(line), mistyped, ...place }));
  });

  test.each([0, 1, 4])('has a form with what was typed and what is wrong with it written out (field %i)', (at) => {
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

  test.each([true, false])('says what is at work written out (own: %s)', (own) => {
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
    for (const most of [1, 5]) harmless(draw(LiveCallLines, { liveCalls: [liveCall], most }));
    harmless(draw(LiveCallLines, { liveCalls: [{ ...liveCall, title: 'create' }], most: 1 }));
  });
});

describe('the live list', () => {
  const text = ({ segments }: ReturnType<typeof emptyLine>): string => segments.map((segment) => segment.text).join('');

  test('has its head and what is not found written out', () => {
    const model = new ListModel();
    model.apply(whole(container('alice')));
    model.setFilter(evil);
    for (const line of [headLine(model, '', 300), emptyLine(model)]) harmless(text(line));
    model.apply(change({ stale: evil }));
    harmless(text(headLine(model, '', 300)));
  });

  test('has what is to be copied written out', () => {
    const pane = new Pane({ kind: 'text', title: 'x', width: 100, blocks: [{ kind: 'verbatim', text: evil }, table] });
    harmless(pane.window(50).lines.join('\n'));
  });

  test.each([
    ['a pane', { pane: new Pane({ kind: 'text', title: evil, width: 79, blocks: [] }) }],
    ['a message', { message: { tone: 'bad', text: evil } }],
    ['a filter', { typing: lineOf(evil) }],
  ])('has %s written out', (_, state) => {
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
