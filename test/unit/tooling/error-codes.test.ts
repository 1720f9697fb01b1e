import { readFile, readdir } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../../src/errors/codes.ts';

const SRC = new URL('../../../src/', import.meta.url);

test('every error code is used by the sources', async () => {
  const files = (await readdir(SRC, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && file !== 'errors/codes.ts',
  );
  const sources = (await Promise.all(files.map((file) => readFile(new URL(file, SRC), 'utf8')))).join('\n');
  const unused = Object.keys(ERROR_CODES).filter((code) => !new RegExp(`\\b${code}\\b`).test(sources));
  expect(unused).toEqual([]);
});
