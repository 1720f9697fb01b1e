import { expect, test } from '@jest/globals';
import { createStyle, statusPaint } from '../../../src/cli/theme.ts';

const terminal = { isTTY: true, columns: 100 };
const pipe = {};

test.each([
  ['a terminal', terminal, {}, true],
  ['a pipe', pipe, {}, false],
  ['a terminal and NO_COLOR', terminal, { NO_COLOR: '1' }, false],
  ['a terminal and an empty NO_COLOR', terminal, { NO_COLOR: '' }, true],
  ['a dumb terminal', terminal, { TERM: 'dumb' }, false],
  ['a pipe and FORCE_COLOR', pipe, { FORCE_COLOR: '1' }, true],
  ['a terminal and FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, false],
  ['NO_COLOR and FORCE_COLOR', terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
])('%s decides on colour', (_, stream, env, isColoured) => {
  const { theme } = createStyle(stream, env);
  expect(theme.bad('x') !== 'x').toBe(isColoured);
});

test('the width is the terminal’s, and none without a terminal', () => {
  expect(createStyle(terminal, {}).width).toBe(100);
  expect(createStyle(pipe, {}).width).toBeNull();
  // A pseudo-terminal without a size.
  expect(createStyle({ isTTY: true, columns: 0 }, {}).width).toBe(80);
});

test.each([
  ['applied', '32'],
  ['failed', '31'],
  ['refused', '31'],
  ['parked', '33'],
  ['pending', '2'],
])('the status %s has the colour %s', (status, code) => {
  const { theme } = createStyle(terminal, {});
  expect(statusPaint(status, theme)('x')).toContain(`\u001b[${code}m`);
});
