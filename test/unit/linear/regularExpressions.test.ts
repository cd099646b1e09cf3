/**
 * Each regular expression of the product takes a hostile text of some thousand characters in no time. One that goes
 * back over the text for each character would take the event loop from everybody (ECMAScript has no other engine).
 */
import { expect, test } from 'vitest';
import ts from 'typescript';
import { hostileTexts, slowText, textsOf, type Hostile } from './hostile.ts';
import { sourcesIn } from './sources.ts';

/** Returns the regular expressions of the product, and where each is. */
function patterns(): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, file } of sourcesIn('src')) {
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node) && !found.has(node.text)) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        found.set(node.text, `${path}:${line + 1}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}

/** Returns the words that a pattern asks for, which a hostile text would have. */
function wordsOf(source: string): string[] {
  const plain = source.replace(/\\[nrtsdwbSDWB]/g, ' ').replace(/\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|(.))/gi, '$1');
  return [...new Set(plain.match(/[A-Za-z0-9 =:"<>/@#-]{2,}/g))].slice(0, 6);
}

/** Returns the hostile text for which a pattern is not linear, if there is one. */
function slowTextOf(literal: string): string | undefined {
  const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(literal) ?? [];
  // Looks for all matches, each from where the last one ended.
  const pattern = new RegExp(source, [...new Set(`${flags.replace('y', '')}g`)].join(''));
  const words = wordsOf(source);
  const texts = [...hostileTexts, ...textsOf(words)];
  const begun = words.flatMap((word) =>
    texts.map(
      (text): Hostile =>
        (length) =>
          word + text(length),
    ),
  );
  return slowText((text) => text.replace(pattern, ''), [...texts, ...begun]);
}

test('every regular expression of the product is linear in the length of a hostile text', { timeout: 300_000 }, () => {
  const slow = [...patterns()].flatMap(([literal, place]) => {
    const text = slowTextOf(literal);
    return text === undefined ? [] : [`${place}: ${literal} for ${text}`];
  });
  expect(slow).toEqual([]);
});

test('the search for slow regular expressions finds one', () => {
  expect(slowTextOf('/ +$/')).toBeDefined();
});
