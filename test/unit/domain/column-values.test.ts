import { describe, expect, test } from '@jest/globals';
import { MAPPER, STRICT_MAPPER } from '../../support/pure-service.ts';

describe('fields and columns', () => {
  test('reach a column by its name or in camelCase', () => {
    expect(MAPPER.map({ name: 'n', homeTown: 'h' })).toMatchObject({
      texts: ['n', 'h', undefined, undefined],
    });
    expect(MAPPER.map({ home_town: 'h' })).toMatchObject({ texts: [undefined, 'h', undefined, undefined] });
  });

  test('without a column go to the extra column, else fail', () => {
    expect(MAPPER.map({ hat: [1], attributes: { shoe: 2 } })).toMatchObject({ extra: { hat: [1], shoe: 2 } });
    expect(STRICT_MAPPER.map({ hat: 1 })).toMatchObject({ code: 'UNKNOWN_FIELD' });
  });

  test('JSON null is NULL, numbers and booleans are their text, lists are array literals', () => {
    expect(MAPPER.map({ name: null })).toMatchObject({ texts: [null, undefined, undefined, undefined] });
    expect(MAPPER.map({ name: 1.5, homeTown: false })).toMatchObject({
      texts: ['1.5', 'false', undefined, undefined],
    });
    expect(MAPPER.map({ tags: ['a"b', null, 'c\\d', 'NULL'] })).toMatchObject({
      texts: [undefined, undefined, '{"a\\"b",NULL,"c\\\\d","NULL"}', undefined],
    });
  });

  test.each([
    ['an object for a single value', { name: {} }],
    ['a single value for a list', { tags: 'x' }],
    ['a NUL character', { name: 'a\0b' }],
    ['half of a surrogate pair', { name: '\ud800' }],
    ['no object for the extra column', { attributes: 1 }],
  ])('%s is WRONG_TYPE', (_, fields) => {
    expect(MAPPER.map(fields)).toMatchObject({ code: 'WRONG_TYPE' });
  });

  test('a field named __proto__ is data like any other', () => {
    const mapped = MAPPER.map(JSON.parse('{"__proto__": {"x": 1}}') as Record<string, never>);
    expect(JSON.stringify(mapped)).toContain('"extra":{"__proto__":{"x":1}}');
  });
});
