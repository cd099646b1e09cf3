/** A form: where it begins, what it shows beside its fields, what its errors say, and how it is drawn. */
import { renderToString } from 'ink';
import { createElement } from 'react';
import { describe, expect, it } from 'vitest';
import { verbNamed, type VerbName } from '../../../../src/catalogue/catalogue.ts';
import { FormDialog, type FormOptions } from '../../../../src/shell/forms/formDialog.ts';
import { FormView } from '../../../../src/shell/forms/FormView.tsx';

const known = { now: { cpu: '4', memory: '8GiB' }, defaults: { cpu: '2', memory: '4GiB', disk: '50GiB' } };

function form(verb: VerbName, given: FormOptions['given'], over: Partial<FormOptions> = {}) {
  const inputs: unknown[] = [];
  const dialog = new FormDialog({
    verb: verbNamed(verb),
    entryPoint: 'manage',
    given,
    known,
    changed: () => undefined,
    done: (input) => inputs.push(input),
    ...over,
  });
  const type = (text: string): void => dialog.key({ name: 'text', text });
  const press = (...names: string[]): void => names.forEach((name) => dialog.key({ name, text: '' }));
  const drawn = (columns = 80, rows = 20): string =>
    renderToString(createElement(FormView, { form: dialog, state: dialog.state, columns, rows, top: 0 }), { columns });
  const at = (): string | undefined => dialog.state.fields[dialog.state.at]?.field.name;
  return { dialog, inputs, type, press, drawn, at };
}

describe('a form begins', () => {
  it.each([
    ['resize', { user: 'alice' }, 'cpu'],
    ['resize', { user: 'alice', cpu: '4' }, 'memory'],
    ['resize', { user: 'alice', cpu: 'four' }, 'cpu'],
    ['resize', {}, 'user'],
    ['create', { user: 'alice' }, 'keys'],
    ['create', {}, 'user'],
  ] as const)('of %s with %j at %s, which is wrong or the first to be empty', (verb, given, field) => {
    expect(form(verb, given).at()).toBe(field);
  });
});

describe('a form shows', () => {
  it('what is set now and what the default is', () => {
    const drawn = form('resize', { user: 'alice' }).drawn();
    expect(drawn).toMatch(/cpu: +now 4, default 2\n/);
    expect(drawn).toMatch(/memory: +now 8GiB, default 4GiB\n/);
    expect(drawn).toMatch(/disk-quota: +default 50GiB\n/);
    expect(drawn).toContain('(optional; now 4, default 2)');
  });

  it('the focus on its button', () => {
    const { drawn, press } = form('resize', { user: 'alice', cpu: '4' });
    expect(drawn()).toMatch(/^ {2}\[ Resize \]$/m);
    press('tab', 'tab', 'tab');
    expect(drawn()).toMatch(/^› \[ Resize \]$/m);
  });

  it('a long error as a whole, in as many lines as it takes', () => {
    const { drawn, type, press, dialog } = form('resize', { user: 'alice' });
    type('four');
    press('enter', 'up');
    const error = dialog.state.fields.find(({ field }) => field.name === 'cpu')?.judgement.error ?? '';
    const text = drawn(40).replaceAll(/\s*\n\s*/g, ' ');
    expect(error.length).toBeGreaterThan(40);
    expect(text).toContain(error);
  });
});

describe('the error of a field', () => {
  it.each([
    ['cpu', 'four', /^cpu: /],
    ['memory', '8', /^memory: /],
    ['disk', 'much', /^disk-quota: /],
    ['user', '', /^user is required$/],
  ])('of %s with %j names it, and says the rule', (name, text, error) => {
    const { dialog } = form('resize', { user: 'alice', [name]: text === '' ? undefined : text });
    const index = dialog.state.fields.findIndex(({ field }) => field.name === name);
    dialog.key({ name: 'up', text: '' });
    while (dialog.state.at !== index) dialog.key({ name: 'down', text: '' });
    dialog.key({ name: 'down', text: '' });
    expect(dialog.state.fields[index]?.judgement.error).toMatch(error);
  });
});

describe('a form for a selection', () => {
  it('asks for what is missing alone, and keeps the selection', () => {
    const { dialog, inputs, type, press } = form('resize', { labels: ['team=blue'], yes: true });
    expect(dialog.state.fields.map(({ field }) => field.name)).toEqual(['cpu', 'memory', 'disk', 'processes']);
    type('4');
    press('enter', 'enter', 'enter', 'enter', 'enter');
    expect(inputs).toEqual([{ labels: ['team=blue'], yes: true, cpu: '4' }]);
  });

  it('takes several users in one field', () => {
    const { inputs, type, press } = form('resize', { user: ['alice', 'bob'] });
    type('4');
    press('enter', 'enter', 'enter', 'enter', 'enter');
    expect(inputs).toEqual([{ user: ['alice', 'bob'], cpu: '4' }]);
  });
});
