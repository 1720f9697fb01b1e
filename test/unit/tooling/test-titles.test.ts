import { readFile, readdir } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import ts from 'typescript';

const TESTS = new URL('../../', import.meta.url);
const BLOCK = /^describe((Private)?Kafka)?$/;
const PLACEHOLDER = /[%$]\w/;

/**
 * The full titles of a file: those of the blocks around a test, then its own. Only literal titles are seen: one with a
 * placeholder is as many titles as its table has rows.
 */
function titlesOf(file: string, text: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node, around: readonly string[]): void => {
    const call = ts.isCallExpression(node) ? literalTitle(node) : null;
    const isTest = call !== null && /^(test|it)$/.test(call.name) && !PLACEHOLDER.test(call.title);
    if (isTest) titles.push([...around, call.title].join(' > '));
    const inside = call !== null && BLOCK.test(call.name) ? [...around, call.title] : around;
    ts.forEachChild(node, (child) => {
      visit(child, inside);
    });
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true), []);
  return titles;
}

/** `test('title', …)`, `test.each(…)('title', …)` and `describe('title', …)`: the name called and the title. */
function literalTitle(call: ts.CallExpression): { name: string; title: string } | null {
  const [first] = call.arguments;
  if (first === undefined || !ts.isStringLiteralLike(first)) return null;
  let callee: ts.Node = call.expression;
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression;
  return ts.isIdentifier(callee) ? { name: callee.text, title: first.text } : null;
}

test('no two tests have the same full title, so that a title names one test', async () => {
  const files = (await readdir(TESTS, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const places = new Map<string, string[]>();
  for (const file of files) {
    for (const title of titlesOf(file, await readFile(new URL(file, TESTS), 'utf8'))) {
      places.set(title, [...(places.get(title) ?? []), file]);
    }
  }
  expect(places.size).toBeGreaterThan(0);
  expect([...places].filter(([, where]) => where.length > 1)).toEqual([]);
  // It parses every test there is, on a machine that does other things beside it.
}, 60_000);

test('twin titles are found behind blocks and tables', () => {
  const text = `describe('a', () => { test('x', f); test.each([1])('y', f); test.each([1])('%s', f); }); describeKafka('b', () => it('x', f));`;
  expect(titlesOf('file.ts', text)).toEqual(['a > x', 'a > y', 'b > x']);
});
