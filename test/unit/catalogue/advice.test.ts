/** The next step of every failure in the sources: a command in it exists, and stands in double quotes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it, test } from 'vitest';
import { advisedFor, commandsIn, stepFor } from '../../../src/catalogue/advice.ts';
import { mayUse, verbCalled, verbOf } from '../../../src/catalogue/catalogue.ts';
import { parseCommandLine } from '../../../src/catalogue/parse.ts';
import { Failure } from '../../../src/domain/failure.ts';

const source = new URL('../../../src', import.meta.url).pathname;

/** Returns the literals of an expression, with a word in place of each value in a template. */
function texts(node: ts.Expression): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node))
    return [node.head.text + node.templateSpans.map((span) => `alice${span.literal.text}`).join('')];
  if (ts.isConditionalExpression(node)) return [...texts(node.whenTrue), ...texts(node.whenFalse)];
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken)
    return [...texts(node.left), ...texts(node.right)];
  return [];
}

/** Returns the value of a property, constant or parameter called `next`. A shorthand property has one of the latter. */
function nextIn(node: ts.Node): ts.Expression | undefined {
  const isNamed = ts.isPropertyAssignment(node) || ts.isVariableDeclaration(node) || ts.isParameter(node);
  return isNamed && node.name.getText() === 'next' ? node.initializer : undefined;
}

/** Returns the text of everything called `next`, and of the advice of each check of `doctor`. */
function nextSteps(path: string): string[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const next = nextIn(node);
    if (next !== undefined) found.push(...texts(next));
    if (ts.isCallExpression(node) && ['warning', 'problem'].includes(node.expression.getText()) && node.arguments[1])
      found.push(...texts(node.arguments[1]));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const steps = [
  ...new Set(
    readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => nextSteps(join(source, name))),
  ),
];

/** Reports whether an admin or an owner may type these words. Placeholders such as `<user>` count as words. */
function isUnderstood(words: readonly string[]): boolean {
  const typed = words.map((word) => word.replace(/^<(.*)>$/, '$1'));
  return (
    [
      { entryPoint: 'manage', role: 'admin' },
      { entryPoint: 'self', role: 'owner' },
    ] as const
  ).some((actor) => {
    try {
      return mayUse(parseCommandLine(typed, actor, { incomplete: true }).verb, actor.entryPoint, actor.role);
    } catch {
      return false;
    }
  });
}

test('the sources have many next steps', () => {
  expect(steps.length).toBeGreaterThan(120);
  expect(steps.filter((step) => commandsIn(step).length > 0).length).toBeGreaterThan(30);
});

test.each(steps.filter((step) => commandsIn(step).length > 0))('the commands in %j exist', (step) => {
  for (const { words } of commandsIn(step)) expect(isUnderstood(words), words.join(' ')).toBe(true);
});

test.each(steps)('%j has no command outside of quotes', (step) => {
  const bare = step.replace(/"[^"]*"/g, '').split(/[^\w<>-]+/);
  // One word such as "list" may be part of a sentence; the two words of a verb are not.
  const pairs = bare.slice(1).map((second, i) => `${bare[i]} ${second}`);
  expect(pairs.filter((pair) => verbCalled(pair) !== undefined)).toEqual([]);
  const words = step.replace(/^containarium /, '').split(' ');
  // A verb that takes several users understands every sentence that begins with it. A step names one user.
  const isSentence = verbOf(words)?.several === true && words.length > 2;
  expect(!isSentence && isUnderstood(words)).toBe(false);
});

describe('the next step of an owner', () => {
  const caller = { entryPoint: 'self', role: 'owner', owns: ['alice'] } as const;
  const own = steps
    .map((step) => stepFor(step, caller))
    .filter((step) => !step.startsWith('ask an admin') && commandsIn(step).length > 0);

  it('is one of those that an owner can take, of which there are some', () => {
    expect(own.length).toBeGreaterThan(10);
  });

  it.each([...new Set(own)])('%j has only commands that can be typed at self@', (step) => {
    for (const { words, verb } of commandsIn(step)) {
      const typed = words.map((word) => word.replace(/^<(.*)>$/, '$1'));
      expect(parseCommandLine(typed, caller, { incomplete: true }).verb.name, step).toBe(verb.name);
    }
  });

  it.each([
    ['see "snapshot list alice"', 'see "snapshot list"', 'see "snapshot list --user alice"'],
    ['see "key list alice"', 'see "keys alice"', 'see "keys alice"'],
    ['3 keys; "key list alice" shows them', '3 keys; "keys alice" shows them', '3 keys; "keys alice" shows them'],
    ['"snapshot delete own-1" deletes it', '"snapshot delete own-1" deletes it', '"snapshot delete own-1" deletes it'],
  ])('%j becomes %j, or with several containers %j', (step, one, several) => {
    expect(stepFor(step, caller)).toBe(one);
    expect(stepFor(step, { ...caller, owns: ['alice', 'alice-two'] })).toBe(several);
  });

  it('is to ask an admin where the remedy is on the host', () => {
    const off = new Failure('settings', { what: 'backups', why: 'they are off', next: 'set backups.directory' });
    expect(advisedFor(off, caller).next).toBe('ask an admin: set backups.directory');
    expect(advisedFor(off, { entryPoint: 'manage', role: 'viewer' })).toBe(off);
  });
});

describe('advisedFor', () => {
  const failure = new Failure('wrong-state', {
    what: 'container "alice"',
    why: 'it is stopped',
    next: 'start it: "start alice"',
  });

  it('leaves a step that the caller can take', () => {
    expect(advisedFor(failure, { entryPoint: 'manage', role: 'operator' })).toBe(failure);
    expect(advisedFor(failure, { entryPoint: 'local', role: 'root' })).toBe(failure);
  });

  it.each([
    { entryPoint: 'manage', role: 'viewer' },
    { entryPoint: 'self', role: 'owner' },
  ] as const)('sends $role at $entryPoint@ to an admin', (actor) => {
    expect(advisedFor(failure, actor)).toMatchObject({
      code: 'wrong-state',
      next: 'ask an admin to run "start alice"',
    });
  });

  it.each(['see "audit", then "reconcile --apply"', 'create a new CA and remove this one: "ca remove office"'])(
    'sends to an admin with the whole step if it says more than one command: %s',
    (next) => {
      expect(stepFor(next, { entryPoint: 'self', role: 'owner' })).toBe(`ask an admin: ${next}`);
    },
  );

  it('ignores quoted text that is no command', () => {
    const other = new Failure('internal', {
      what: 'Incus',
      why: 'it failed',
      next: 'run "incus list", or see "/var/log/list"',
    });
    expect(advisedFor(other, { entryPoint: 'self', role: 'owner' })).toBe(other);
  });
});
