/**
 * Every function that takes text from outside is linear in its length: one client, one container or one file must not
 * take the event loop from everybody. Functions of one text are found in the sources, so a new parser is fed too.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import ts from 'typescript';
import { slowText } from './hostile.ts';
import { others } from './others.ts';
import { sourcesIn } from './sources.ts';

/** Folders whose texts come from root alone, or that only make documentation. */
const trusted = /^src\/(?:prepare|install|simulated|docs|bench)\//;
/** Functions that ask the file system for the path that they are given. */
const asksFileSystem = new Set(['volumeTrouble']);

/** Reports whether a function takes one text and returns at once. */
function takesOneText(node: ts.Statement): node is ts.FunctionDeclaration & { name: ts.Identifier } {
  if (!ts.isFunctionDeclaration(node) || node.name === undefined || asksFileSystem.has(node.name.text)) return false;
  const modifiers = node.modifiers?.map(({ kind }) => kind) ?? [];
  const [first, ...rest] = node.parameters;
  return (
    modifiers.includes(ts.SyntaxKind.ExportKeyword) &&
    !modifiers.includes(ts.SyntaxKind.AsyncKeyword) &&
    first?.type?.kind === ts.SyntaxKind.StringKeyword &&
    rest.every(({ questionToken, initializer }) => questionToken !== undefined || initializer !== undefined) &&
    !/Promise|Async/.test(node.type?.getText() ?? '')
  );
}

interface Fed {
  readonly name: string;
  readonly feed: (text: string) => unknown;
}

async function found(): Promise<Fed[]> {
  const fed: Fed[] = [];
  for (const { path, file } of sourcesIn('src')) {
    const names = trusted.test(path) ? [] : file.statements.filter(takesOneText).map(({ name }) => name.text);
    if (names.length === 0) continue;
    const module = (await import(/* @vite-ignore */ join('../../..', path))) as Record<
      string,
      (text: string) => unknown
    >;
    for (const name of names) fed.push({ name: `${name} of ${path}`, feed: (text) => module[name]?.(text) });
  }
  return fed;
}

/** Feeds a text. A function may refuse it. */
function fed(feed: (text: string) => unknown): (text: string) => void {
  return (text) => {
    try {
      feed(text);
    } catch (error) {
      // A function that calls itself for each character fails like this.
      if (error instanceof RangeError && error.message.includes('call stack')) throw error;
    }
  };
}

test('every function of one text is linear in its length', { timeout: 300_000 }, async () => {
  const all = await found();
  expect(all.length).toBeGreaterThan(80);
  const slow = all.flatMap(({ name, feed }) => {
    const text = slowText(fed(feed));
    return text === undefined ? [] : [`${name} for ${text}`];
  });
  expect(slow).toEqual([]);
});

test.each(others)('$name is linear in the length of a hostile text', { timeout: 300_000 }, ({ feed, texts }) => {
  expect(slowText(fed(feed), texts)).toBeUndefined();
});
