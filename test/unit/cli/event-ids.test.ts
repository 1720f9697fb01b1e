import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readEventIds } from '../../../src/cli/event-ids.ts';

test('what is typed and is no event id is told as it is, without the name of a flag', async () => {
  await expect(readEventIds(['x'], undefined)).rejects.toMatchObject({
    code: 'USAGE',
    message: 'x is no event id',
  });
});

test('what is no event id in a file is told with its line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'event-ids-'));
  try {
    const file = join(folder, 'ids');
    await writeFile(file, '0190a3c4-7e1b-7c3d-8e4f-000000000001\nx\n');
    await expect(readEventIds([], file)).rejects.toMatchObject({
      code: 'USAGE',
      message: `line 2 of ${file} is no event id: x`,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
