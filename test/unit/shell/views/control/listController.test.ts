import { describe, expect, test } from 'vitest';
import { Failure } from '../../../../../src/domain/failure.ts';
import type { CallEnd } from '../../../../../src/shell/model/verbCall.ts';
import { ConfirmDialog } from '../../../../../src/shell/screen/confirmDialog.ts';
import { FormDialog } from '../../../../../src/shell/forms/formDialog.ts';
import { change, container, gib, whole } from '../../../../support/containers.ts';
import { admin, world, type World, type WorldOptions } from '../support.ts';

function opened(options: WorldOptions = {}): World {
  const made = world(options);
  made.controller.apply(whole(container('alice'), container('bob', { labels: { team: 'blue' } }), container('carol')));
  return made;
}

function confirmation({ controller }: World): ConfirmDialog {
  const { dialog } = controller.store.get();
  if (!(dialog instanceof ConfirmDialog)) throw new Error('no dialog is open');
  return dialog;
}

describe('a key of the live list', () => {
  test('runs its verb on the selected container', async () => {
    const w = opened();
    w.press('j', 'x');
    expect(w.controller.store.get().question?.text).toBe('stop bob?');
    expect(w.calls.lines).toEqual([]);
    w.press('enter');
    expect(w.message()).toBe('› stop bob');
    await w.settle();
    expect(w.calls.lines).toEqual(['stop bob']);
    expect(w.message()).toMatch(/^✓ stop bob · done in /);
  });

  test('runs its verb on the marked containers only', async () => {
    const w = opened();
    w.press(' ', 'G', ' ', 'g', 'r', ...'restart 2', 'enter');
    await w.settle();
    expect(w.calls.lines).toEqual(['restart alice', 'restart carol']);
  });

  test('shows the reason of a failure', async () => {
    const failure = new Failure('busy', {
      what: 'container "bob"',
      why: 'another operation is running',
      next: 'try again',
    });
    const w = opened({
      run: (_verb, input): Promise<CallEnd> =>
        Promise.resolve(
          input['user'] === 'bob'
            ? { kind: 'failed', failure, exitCode: failure.exitCode }
            : { kind: 'done', result: 1, blocks: [], exitCode: 0 },
        ),
    });
    w.press('a', 'u', ...'start 3', 'enter');
    await w.settle();
    expect(w.message()).toBe('✗ 1 of 3 failed. start bob: another operation is running; try again');
  });

  test('runs at most four calls at a time', async () => {
    const waiting: (() => void)[] = [];
    const w = world({
      run: () =>
        new Promise((resolve) => waiting.push(() => resolve({ kind: 'done', result: 1, blocks: [], exitCode: 0 }))),
    });
    w.controller.apply(whole(...Array.from({ length: 10 }, (_, i) => container(`user${i}`))));
    w.press('a', 'x', ...'stop 10', 'enter');
    await w.settle();
    expect(waiting).toHaveLength(4);
    waiting[0]?.();
    await w.settle();
    expect(waiting).toHaveLength(5);
  });

  test.each(['u', 'x', 'r', 'b'])('that changes a container does nothing by itself: %s', async (key) => {
    const w = opened();
    for (const other of ['escape', 'g', 'x', 'u', 'r', 'b', ' ', 'down', 'q']) {
      w.press(key, other);
      expect(w.message()).toBe('Cancelled. Nothing was changed.');
    }
    await w.settle();
    expect(w.calls).toMatchObject({ lines: [], closed: 0 });
    expect(w.controller.store.get().question).toBeUndefined();
  });

  test('that asks is not answered by a letter of the same word, typed quickly or in one packet', async () => {
    const w = opened();
    const early = 'Nothing was changed: the answer came before the question could be read. Press the key again.';
    w.type(200, ...'memor', 'y');
    expect(w.message()).toBe(early);
    w.press('r');
    w.type(499, 'enter');
    expect(w.message()).toBe(early);
    w.controller.key({ name: 'text', text: 'memory' });
    w.press('r');
    w.controller.key({ name: 'text', text: 'y list' });
    await w.settle();
    expect(w.controller.store.get().question).toBeUndefined();
    w.press('escape', 'r');
    for (const text of ['y', 'es']) w.controller.key({ name: 'text', text, withOthers: true });
    await w.settle();
    expect(w.calls.lines).not.toContain('restart alice');
    w.press('escape', 'r');
    w.type(500, 'y');
    await w.settle();
    expect(w.calls.lines).toContain('restart alice');
  });

  test('that changes several containers asks for the verb and their number', async () => {
    const w = opened();
    w.press('a', 'x');
    expect(confirmation(w).confirmation).toMatchObject({
      word: 'stop 3',
      facts: [
        ['alice', 'Running'],
        ['bob', 'Running'],
        ['carol', 'Running'],
      ],
    });
    w.press('y', 'enter');
    expect(confirmation(w).mistyped).toBe(true);
    w.press('escape');
    expect(w.message()).toBe('Cancelled. Nothing was changed.');
    await w.settle();
    expect(w.calls.lines).toEqual([]);
  });

  test('works if several arrive in one packet', () => {
    const w = opened();
    w.controller.key({ name: 'text', text: 'jjk' });
    expect(w.controller.model.selected?.user).toBe('bob');
  });

  test('does nothing as part of a paste', () => {
    const w = opened();
    w.controller.paste('xxd');
    expect(w.calls.lines).toEqual([]);
  });

  test('does nothing if there is no container', () => {
    const w = world();
    w.controller.apply(whole());
    w.press('x', 'enter', 'd', 'z', 's');
    expect(w.calls.lines).toEqual([]);
    expect(w.message()).toBe('No container is selected');
  });
});

describe('the role of the actor', () => {
  test('lets a viewer change nothing', () => {
    const w = opened({ actor: { ...admin, role: 'viewer' } });
    w.press('x', 'd', 'z', 's', 'u', 'r');
    expect(w.calls.lines).toEqual([]);
    expect(w.controller.store.get()).toMatchObject({ dialog: undefined, pane: undefined });
  });

  test('lets an owner restart their own container', async () => {
    const w = opened({ actor: { name: 'alice', role: 'owner', entryPoint: 'self', owns: ['alice'] } });
    w.press('x', 'r', 'y');
    await w.settle();
    expect(w.calls.lines).toEqual(['restart alice']);
  });
});

describe('delete in the live list', () => {
  const info = { container: { ...container('alice'), lastLoginAt: null } };

  test('shows what is lost and asks for the name', async () => {
    const w = opened({ answer: () => info });
    w.press('d');
    await w.settle();
    expect(confirmation(w).confirmation).toMatchObject({
      word: 'alice',
      facts: expect.arrayContaining([['Container', 'alice-container (running)']]),
    });
    w.press(...'bob', 'enter');
    expect(confirmation(w).mistyped).toBe(true);
    expect(w.calls.lines).toEqual([]);
    w.press('ctrl-u', ...'alice', 'enter');
    await w.settle();
    expect(w.calls.inputs).toEqual([{ user: 'alice', confirm: 'alice' }]);
    expect(w.calls.lines).toEqual(['delete alice']);
  });

  test('lists several containers and asks for their number', async () => {
    const w = opened();
    w.press('a', 'd');
    await w.settle();
    expect(confirmation(w).confirmation.word).toBe('delete 3');
    expect(confirmation(w).confirmation.facts.map(([user]) => user)).toEqual(['alice', 'bob', 'carol']);
    w.press(...'delete 3', 'enter');
    await w.settle();
    expect(w.calls.inputs).toEqual(['alice', 'bob', 'carol'].map((user) => ({ user, confirm: user })));
  });

  test.each([['escape'], ['enter'], ['ctrl-c']])('is cancelled by %s', async (key) => {
    const w = opened();
    w.press('a', 'd');
    await w.settle();
    w.press(key);
    expect(w.message()).toBe('Cancelled. Nothing was changed.');
    expect(w.calls.lines).toEqual([]);
    expect(w.calls.closed).toBe(0);
  });

  test('is not answered by keys typed before the question appears', async () => {
    const w = opened({ answer: () => info });
    w.press('d', 'j');
    await w.settle();
    expect(confirmation(w).confirmation.word).toBe('alice');
    expect(confirmation(w).line.text).toBe('');
  });
});

describe('resize in the live list', () => {
  test('starts with the current size and sends only the changes', async () => {
    const w = opened();
    w.press('z');
    const { dialog } = w.controller.store.get();
    if (!(dialog instanceof FormDialog)) throw new Error('no form');
    expect(dialog.state.fields.map(({ field, line }) => [field.name, line.text])).toEqual([
      ['cpu', '2'],
      ['memory', '4GiB'],
      ['disk', '50GiB'],
      ['processes', '2000'],
    ]);
    w.press('ctrl-u', '4', 'enter', 'enter', 'enter', 'enter', 'enter');
    await w.settle();
    expect(w.calls.lines).toEqual(['resize alice --cpu 4']);
    expect(w.calls.inputs).toEqual([{ user: 'alice', cpu: '4' }]);
  });

  test('shows the plans of all marked containers on Ctrl-T, once for a flood of it, and leaves the form', async () => {
    const asked: (() => void)[] = [];
    const plan = (user: string): CallEnd => ({
      kind: 'done',
      result: undefined,
      blocks: [{ kind: 'text', text: `of ${user}` }],
      exitCode: 0,
    });
    const w = opened({
      run: (verb, { user }) => {
        expect(verb).toMatchObject({ name: 'resize', isPlan: true, changes: false });
        return new Promise((resolve) => asked.push(() => resolve(plan(String(user)))));
      },
    });
    w.press('a', 'z', 'ctrl-u', '4');
    const { dialog } = w.controller.store.get();
    w.press(...Array.from({ length: 50 }, () => 'ctrl-t'));
    expect(w.calls.lines).toEqual(['resize alice --cpu 4 --plan']);
    for (let i = 0; i < 3; i++) {
      asked[i]?.();
      await w.settle();
    }
    const { pane, dialog: now } = w.controller.store.get();
    expect(pane?.window(10).lines).toEqual(['of alice', 'of bob', 'of carol']);
    expect(now).toBe(dialog);
    // A plan that comes after the form was left shows no pane.
    w.press('ctrl-t', 'escape');
    for (let i = 3; i < 6; i++) {
      asked[i]?.();
      await w.settle();
    }
    expect(w.calls.lines).toHaveLength(6);
    expect(w.controller.store.get().pane).toBe(pane);
  });

  test('leaves a field empty if the containers differ in it', () => {
    const w = opened();
    w.controller.apply(change({ changed: [container('bob', { memoryLimitBytes: 8 * gib })] }));
    w.press('a', 'z');
    const { dialog } = w.controller.store.get();
    if (!(dialog instanceof FormDialog)) throw new Error('no form');
    expect(dialog.state.fields.map(({ line }) => line.text)).toEqual(['2', '', '50GiB', '2000']);
    expect(dialog.verb.summary).toContain('alice, bob, carol');
  });

  test('does nothing without a change', () => {
    const w = opened();
    w.press('z', 'up', 'enter', 'enter', 'enter', 'enter', 'enter');
    expect(w.controller.store.get().dialog).toBeUndefined();
    expect(w.message()).toBe('Nothing was changed.');
    expect(w.calls.lines).toEqual([]);
  });
});

describe('the keys of the list', () => {
  const pane = (w: World) => w.controller.store.get().pane?.kind;

  test('are closed by the key that has opened them, and by Esc, with what they covered', () => {
    const w = opened();
    for (const close of ['?', 'escape']) {
      w.press('?');
      expect(pane(w)).toBe('help');
      w.press(close);
      expect(pane(w)).toBeUndefined();
      w.press('enter', '?');
      expect(pane(w)).toBe('help');
      w.press(close);
      expect(pane(w)).toBe('details');
      w.press('escape');
      expect(pane(w)).toBeUndefined();
    }
    expect(w.calls.closed).toBe(0);
  });
});

describe('the filter of a log', () => {
  const log = ['Starting ssh', 'error: no space', 'Started SSH', 'Error: again'];

  async function openedLog(): Promise<World> {
    const w = opened({
      run: () =>
        Promise.resolve({
          kind: 'done',
          result: undefined,
          blocks: [{ kind: 'verbatim', text: log.join('\n') }],
          exitCode: 0,
        }),
    });
    w.press('l');
    await w.settle();
    return w;
  }

  const shown = (w: World): readonly string[] | undefined => w.controller.store.get().pane?.window(10).lines;

  test('shows the lines that match while it is typed, in upper and lower case', async () => {
    const w = await openedLog();
    w.press('/', ...'error');
    expect(shown(w)).toEqual(['error: no space', 'Error: again']);
    w.press('backspace', 'ctrl-u', ...'ssh !started');
    expect(shown(w)).toEqual(['Starting ssh']);
    w.press('enter');
    expect(w.controller.store.get().typing).toBeUndefined();
    // The list has a filter of its own.
    expect(w.controller.model.filter).toBe('');
  });

  test('is cleared by Esc, which then closes the log', async () => {
    const w = await openedLog();
    w.press('/', ...'error', 'enter', 'escape');
    expect(shown(w)).toEqual(log);
    w.press('escape');
    expect(w.controller.store.get().pane).toBeUndefined();
    expect(w.calls.closed).toBe(0);
  });
});

describe('the filter', () => {
  test('takes effect while it is typed, and Enter keeps it', () => {
    const w = opened();
    w.press('/', ...'label:team=blue');
    expect(w.controller.model.shown.map(({ user }) => user)).toEqual(['bob']);
    w.press('enter');
    expect(w.controller.store.get().typing).toBeUndefined();
    expect(w.message()).toBe('› list --label team=blue --sort user');
    expect(w.controller.model.filter).toBe('label:team=blue');
  });

  test('takes keys as text while it is typed', () => {
    const w = opened();
    w.press('/', ...'xdq');
    expect(w.controller.model.filter).toBe('xdq');
    expect(w.calls.closed).toBe(0);
    w.controller.paste('\nabc\n');
    expect(w.controller.model.filter).toBe('xdqabc');
  });

  test('is cleared by Esc after the pane and before the list is closed', async () => {
    const w = opened({ answer: () => ({ container: {} }) });
    w.press('/', 'b', 'enter', '?');
    expect(w.controller.store.get().pane?.kind).toBe('help');
    w.press('escape');
    expect(w.controller.store.get().pane).toBeUndefined();
    expect(w.controller.model.filter).toBe('b');
    w.press('escape');
    expect(w.controller.model.filter).toBe('');
    expect(w.calls.closed).toBe(0);
    w.press('escape');
    expect(w.calls.closed).toBe(1);
    await w.settle();
  });
});

describe('the details of a container', () => {
  test('are fetched again only when the container changes', async () => {
    const w = opened({ answer: () => ({ hostInfo: undefined }) });
    w.press('enter');
    await w.settle();
    w.controller.apply(change({ changed: [container('bob')] }));
    await w.settle();
    expect(w.calls.asked).toEqual(['info']);
    w.controller.apply(change({ changed: [container('alice')] }));
    await w.settle();
    expect(w.calls.asked).toEqual(['info', 'info']);
    w.press('escape');
    w.controller.apply(change({ changed: [container('alice')] }));
    await w.settle();
    expect(w.calls.asked).toHaveLength(2);
  });

  test('make keys act on their container, whatever is marked', async () => {
    const w = opened({ answer: () => ({ container: {} }) });
    w.press('j', ' ', 'k', 'enter', 'x', 'y');
    await w.settle();
    expect(w.calls.lines).toEqual(['stop alice']);
  });

  test('say that the container no longer exists', async () => {
    const w = opened({ answer: () => ({ container: {} }) });
    w.press('enter');
    await w.settle();
    w.controller.apply(change({ removed: ['alice'] }));
    expect(w.controller.store.get().pane?.window(10).lines.join('\n')).toContain(
      'The container of alice no longer exists',
    );
  });
});

describe('the live list', () => {
  const blocks = [{ kind: 'verbatim', text: 'Host alice-dev\n    User alice' }] as const;

  test('shows an ssh configuration, and copies it with y', async () => {
    const w = opened({ run: () => Promise.resolve({ kind: 'done', result: 1, blocks, exitCode: 0 }) });
    w.press('e');
    await w.settle();
    expect(w.calls.lines).toEqual(['export alice']);
    expect(w.controller.store.get().pane?.window(10).lines).toEqual(['Host alice-dev', '    User alice']);
    w.press('y');
    expect(w.calls.copied).toEqual([`\u001b]52;c;${Buffer.from(blocks[0].text).toString('base64')}\u0007`]);
  });

  test('shows a log from its end', async () => {
    const text = Array.from({ length: 50 }, (_, i) => `line ${i}`).join('\n');
    const w = opened({
      run: () => Promise.resolve({ kind: 'done', result: 1, blocks: [{ kind: 'verbatim', text }], exitCode: 0 }),
    });
    w.press('l');
    await w.settle();
    expect(w.calls.lines).toEqual(['logs alice --lines 200']);
    expect(w.controller.store.get().pane?.window(5).lines.at(-1)).toBe('line 49');
    w.press('g');
    expect(w.controller.store.get().pane?.window(5).lines.at(0)).toBe('line 0');
  });

  test('copies the ssh command of the selected container with y', async () => {
    const w = opened({
      answer: () => ({ user: 'alice', jumpHost: 'jump.example.org', jumpPort: 2022, address: '10.0.3.100' }),
    });
    w.press('y');
    await w.settle();
    expect(w.message()).toContain('ssh -J alice@jump.example.org:2022 alice@10.0.3.100');
    expect(w.calls.copied).toHaveLength(1);
  });
});

test('ConfirmDialog scrolls through more facts than there are rows', () => {
  const facts = Array.from({ length: 30 }, (_, i) => [`user${i}`, 'Running'] as const);
  const dialog = new ConfirmDialog(
    { title: 'Delete', facts, word: 'delete 30' },
    () => undefined,
    () => undefined,
  );
  for (let i = 0; i < 40; i++) dialog.key({ name: 'down', text: '' });
  expect(dialog.top).toBe(29);
  dialog.key({ name: 'up', text: '' });
  expect(dialog.top).toBe(28);
});

test('LiveCalls notifies its followers of each change', () => {
  const { liveCalls } = world();
  let changes = 0;
  const end = liveCalls.follow(() => changes++);
  liveCalls.add({ id: '1', title: 'stop alice', verb: 'stop', target: 'alice', own: true, startedMs: 0 });
  liveCalls.setStep('1', { index: 1, total: 2, title: 'Stop', state: 'begun', elapsedMs: 0 });
  liveCalls.remove('1');
  liveCalls.remove('1');
  end();
  liveCalls.add({ id: '2', title: 'stop bob', verb: 'stop', target: 'bob', own: true, startedMs: 0 });
  expect(changes).toBe(3);
});
