import { describe, expect, test } from '@jest/globals';
import { Patience } from '../../../src/app/consume/patience.ts';
import type { Ours } from '../../../src/postgres/sql/outcome.ts';

const OURS: Ours = {
  schema: 'user_events',
  address: 'localhost:5432/users',
  table: {
    ...{ schema: 'public', name: 'users', keyColumn: 'user_id', keyType: 'text', keyConstraints: [] },
    ...{ columns: [], extraColumn: null, createdColumn: null, updatedColumn: null, writableColumns: [] },
  },
};

/** As the driver throws it. */
const answered = (code: string): Error => Object.assign(new Error(code), { code, severity: 'ERROR' });

/** What is told while `errors` come one after the other, and then an answer. */
async function toldOf(errors: readonly Error[]): Promise<(string | null)[]> {
  const told: (string | null)[] = [];
  const { signal } = new AbortController();
  const onTrouble = (error: Error | null): void => void told.push(error?.message ?? null);
  const patience = new Patience({ ours: OURS, signal, onTrouble });
  const left = [...errors];
  await patience.run(() => {
    const error = left.shift();
    return error === undefined ? Promise.resolve() : Promise.reject(error);
  });
  return told;
}

describe('a statement that is tried again', () => {
  test('for the sake of another transaction is no trouble of the database', async () => {
    expect(await toldOf([answered('40001'), answered('40P01')])).toEqual([]);
  });

  test('is trouble where the database does not take it, until it is over', async () => {
    expect(await toldOf([answered('53300'), answered('40001')])).toEqual(['53300', '40001', null]);
  });

  test('is trouble in the end where it conflicts again and again', async () => {
    const conflicts = Array.from({ length: 5 }, () => answered('40001'));
    expect(await toldOf(conflicts)).toEqual(['40001', null]);
  });
});
