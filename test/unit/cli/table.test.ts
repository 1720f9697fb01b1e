import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { renderFields, renderTable } from '../../../src/cli/table.ts';
import { displayWidth } from '../../../src/cli/text-width.ts';
import { PLAIN_STYLE } from '../../../src/cli/theme.ts';

const COLUMNS = [{ title: 'ID' }, { title: 'NAME' }, { title: 'COUNT', align: 'right' }] as const;

describe('a table', () => {
  test('without a terminal is cut nowhere', () => {
    const long = 'x'.repeat(300);
    expect(renderTable(COLUMNS, [['u1', long, '7']], PLAIN_STYLE)).toBe(
      `ID  NAME${' '.repeat(296)}  COUNT\nu1  ${long}      7`,
    );
  });

  test('keeps its columns in line under wide characters and emoji', () => {
    expect(
      renderTable(
        COLUMNS,
        [
          ['u1', '漢字', '1'],
          ['u2', '🫠', '22'],
          ['u3', 'Ada', '333'],
        ],
        PLAIN_STYLE,
      ),
    ).toBe('ID  NAME  COUNT\nu1  漢字      1\nu2  🫠       22\nu3  Ada     333');
  });

  test('cuts the widest column first, so that it fits the terminal', () => {
    const style = { ...PLAIN_STYLE, width: 30 };
    expect(renderTable(COLUMNS, [['u1', 'a name that is far too long', '1']], style)).toBe(
      'ID  NAME                 COUNT\nu1  a name that is far…      1',
    );
  });

  test('leaves the last columns out where the terminal has no room for them', () => {
    const columns = ['FIRST', 'SECOND', 'THIRD'].map((title) => ({ title }));
    const row = columns.map(() => 'x'.repeat(20));
    expect(renderTable(columns, [row], { ...PLAIN_STYLE, width: 22 })).toBe(
      'FIRST     SECOND     …\nxxxxxxx…  xxxxxxxx…  …',
    );
  });

  test('cuts everything else before ids, which are copied, and those to the terminal alone', () => {
    const columns = [{ title: 'ID', isId: true }, { title: 'NAME' }, { title: 'MAIL' }];
    const row = ['7f0c1c52-9d0b-4d3e-8a57-0d5f0c2f9a11', 'Augusta Ada King', 'ada@example.com'];
    const at = (width: number): string | undefined =>
      renderTable(columns, [row], { ...PLAIN_STYLE, width }).split('\n')[1];
    expect(at(60)).toBe('7f0c1c52-9d0b-4d3e-8a57-0d5f0c2f9a11  Augusta A…  ada@examp…');
    expect(at(50)).toBe('7f0c1c52-9d0b-4d3e-8a57-0d5f0c2f9a11  Augusta …  …');
    expect(at(40)).toBe('7f0c1c52-9d0b-4d3e-8a57-0d5f0c2f9a11  …');
    expect(at(20)).toBe('7f0c1c52-9d0b-4d…  …');
  });

  test('makes control characters of the data visible', () => {
    expect(renderTable([{ title: 'A' }], [['\u001b[31m\n']], PLAIN_STYLE)).toBe('A\n\\x1b[31m\\n');
  });

  test('colours a cell after it is cut', () => {
    const paint = (text: string): string => `<${text}>`;
    expect(renderTable([{ title: 'A' }, { title: 'B' }], [[{ text: 'x', paint }, 'y']], PLAIN_STYLE)).toBe(
      'A  B\n<x>  y',
    );
  });

  test('has no line that is wider than the terminal, whatever is in it', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 40 });
    const rows = fc.array(fc.array(cell, { minLength: 4, maxLength: 4 }), { maxLength: 5 });
    const columns = ['A', 'B', 'C', 'D'].map((title) => ({ title, isId: title === 'A' }));
    fc.assert(
      fc.property(rows, fc.integer({ min: 12, max: 120 }), (cells, width) => {
        for (const line of renderTable(columns, cells, { ...PLAIN_STYLE, width }).split('\n')) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
        }
      }),
    );
  });
});

describe('fields', () => {
  test('are a line each, labels in line, values made visible', () => {
    const fields = [
      ['user_id', 'u1'],
      ['name', 'two\nlines'],
    ] as const;
    expect(renderFields(fields, PLAIN_STYLE)).toBe('user_id  u1\nname     two\\nlines');
  });

  test('go on below where they are wider than the terminal, whole', () => {
    expect(renderFields([['name', 'x'.repeat(20)]], { ...PLAIN_STYLE, width: 20 })).toBe(
      `name  ${'x'.repeat(14)}\n      ${'x'.repeat(6)}`,
    );
  });

  test('are in no line that is wider than the terminal', () => {
    const value = fc.string({ unit: 'grapheme', maxLength: 120 });
    fc.assert(
      fc.property(value, fc.integer({ min: 20, max: 100 }), (text, width) => {
        for (const line of renderFields([['name', text]], { ...PLAIN_STYLE, width }).split('\n')) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
        }
      }),
    );
  });
});
