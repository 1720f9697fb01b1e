import type { ColumnMapper } from '../../src/domain/column-values.ts';
import type { JsonValue } from '../../src/domain/event.ts';
import { ledgerRow } from '../../src/domain/expected-row.ts';
import type { MemoryLedger, MemoryRow } from './memory-ledger.ts';

/**
 * Whether a row is not what the ledger says: what postgres/sql/find-drift compares, on rows of texts. The extra column is
 * not modelled here.
 */
export function isDrifted(
  ledger: MemoryLedger,
  mapper: ColumnMapper,
  userId: string,
  row: MemoryRow | null,
): boolean {
  const said = ledgerRow(ledger.history(userId), mapper);
  if (said === null) throw new Error(`user ${userId} is rewound without an image`);
  const { imageOf, exists, changes, carried } = said;
  if (!exists || row === null) return exists || row !== null;
  const made = new Map(Object.entries((imageOf === null ? null : ledger.find(imageOf)?.image) ?? {}));
  for (const [name, value] of Object.entries(changes)) made.set(name, textOf(value));
  const compared = imageOf === null ? Object.keys(changes) : carried;
  return compared.some(
    (name) => name !== mapper.table.extraColumn && (made.get(name) ?? null) !== (row[name] ?? null),
  );
}

function textOf(value: JsonValue): string | null {
  return value === null ? null : typeof value === 'string' ? value : JSON.stringify(value);
}
