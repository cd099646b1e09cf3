/** The menu of suggestions of the input line: what Tab takes, and what typing does while the host is asked. */
import { describe, expect, it } from 'vitest';
import type { Completion } from '../../../src/catalogue/completion.ts';
import { Composer } from '../../../src/shell/composer/composer.ts';
import { History } from '../../../src/shell/composer/history.ts';

/** A composer whose completions are answered by the test. */
function composer(history = new History([])) {
  const submitted: string[] = [];
  const asked: { text: string; answer: (completion: Completion) => void }[] = [];
  const made = new Composer(history, {
    changed: () => undefined,
    submit: (line) => submitted.push(line),
    submitPasted: () => undefined,
    refuse: () => undefined,
    leave: () => undefined,
    leaveAtOnce: () => undefined,
    hasInputEnded: () => false,
    stop: () => false,
    clearScreen: () => undefined,
    complete: (text) =>
      new Promise((resolve) => {
        asked.push({ text, answer: resolve });
      }),
    openView: () => undefined,
  });
  const type = (text: string): void => made.key({ name: 'text', text });
  const press = (name: string): void => made.key({ name, text: '' });
  const answer = async (from: number, ...values: string[]): Promise<void> => {
    asked.at(-1)?.answer({ from, candidates: values.map((value) => ({ value })), after: ' ' });
    await new Promise(setImmediate);
  };
  return { made, type, press, answer, submitted, asked, text: () => made.state.line.text };
}

describe('a menu', () => {
  it('with one candidate gives it at Tab', async () => {
    const { type, press, answer, text, made } = composer();
    type('stop a');
    press('tab');
    await answer(5, 'alice', 'anna');
    type('l');
    await answer(5, 'alice');
    press('tab');
    expect(text()).toBe('stop alice ');
    expect(made.state.suggestions).toBeUndefined();
  });

  it('whose answer comes after more was typed leaves the line as it was typed', async () => {
    const { type, press, answer, text } = composer();
    type('stop a');
    press('tab');
    type('lic --force');
    await answer(5, 'alice');
    expect(text()).toBe('stop alic --force');
  });

  it.each(['enter', 'right', 'end'])('that is behind the typing gives nothing at %s', async (key) => {
    const { type, press, answer, text, submitted } = composer();
    type('stop a');
    press('tab');
    await answer(5, 'alice', 'anna');
    press('tab');
    type('nna --force');
    press(key);
    expect([...submitted, text()]).toContain('stop anna --force');
  });

  it('that is behind the typing selects nothing, and asks again at Tab', async () => {
    const { type, press, answer, text, made, asked } = composer();
    type('stop a');
    press('tab');
    await answer(5, 'alice', 'anna');
    type('nn');
    press('down');
    press('up');
    expect(made.state.suggestions?.selected).toBe(-1);
    expect(text()).toBe('stop ann');
    press('tab');
    expect(asked.at(-1)?.text).toBe('stop ann');
    await answer(5, 'anna');
    expect(text()).toBe('stop anna ');
  });
});

describe('the history', () => {
  it('does not keep the line that leaves the shell', () => {
    const history = new History([]);
    for (const line of ['list', 'exit', 'quit', ' exit ', 'info exit']) history.add(line);
    expect(history.older('', '')).toBe('info exit');
    expect(history.older('info exit', '')).toBe('list');
  });
});
