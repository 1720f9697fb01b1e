import type { ColumnMapper, EventError } from '../../domain/column-values.ts';
import type { HistoryEntry } from '../../domain/history.ts';
import { readImages, readRowTexts } from '../../postgres/sql/read-event.ts';
import type { PoolClient } from '../../postgres/transaction.ts';
import { imagesWanted, rowBefore, rowOfTable, type RowEffect } from './row-effect.ts';

/**
 * What the ledger says the user's row is, against what the table has: on the columns in which they were found to
 * differ. For a rollback that failed with DRIFT. Null where the columns were not recorded.
 */
export async function readDrift(
  client: PoolClient,
  { schema, mapper }: { readonly schema: string; readonly mapper: ColumnMapper },
  {
    userId,
    history,
    error,
  }: { readonly userId: string; readonly history: readonly HistoryEntry[]; readonly error: EventError },
): Promise<RowEffect | null> {
  const columns = error.detail?.['columns'];
  if (!Array.isArray(columns)) return null;
  const images = await readImages(client, schema, imagesWanted(history, history.length, mapper));
  const { row: before, source } = rowBefore(history, history.length, mapper, images);
  const { row: after } = rowOfTable(await readRowTexts(client, mapper.table, userId), mapper);
  const fields = columns.map(String).map((field) => {
    const [said, found] = [before?.[field], after?.[field]];
    return {
      field,
      ...(said === undefined ? {} : { before: said }),
      ...(found === undefined ? {} : { after: found }),
      isCarried: false,
      isChanged: true,
    };
  });
  const rows = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  return { kind: 'drift', source, ...rows, fields };
}
