/** PostgreSQL's array literals, as far as headers need them. https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */

/** `{"a","b\"c"}` of texts. */
export function textArrayLiteral(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** `{"\\x6162",NULL}` of bytea. */
export function byteaArrayLiteral(values: readonly (Buffer | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"\\\\x${value.toString('hex')}"`)).join(',')}}`;
}

/** Reads a literal of texts that has no null among them. */
export function parseTextArray(literal: string): readonly string[] {
  const values: string[] = [];
  // Quoted with escapes, or plain up to the next comma.
  for (const [, quoted, plain] of literal.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^",]+)/gs)) {
    values.push(quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/gs, '$1'));
  }
  return values;
}

/** Reads a literal of bytea in hex form, the only one that bytea_output = hex prints: no comma or quote inside. */
export function parseByteaArray(literal: string): readonly (Buffer | null)[] {
  if (literal === '{}') return [];
  return literal
    .slice(1, -1)
    .split(',')
    .map((element) => (element === 'NULL' ? null : Buffer.from(element.slice('"\\\\x'.length, -1), 'hex')));
}
