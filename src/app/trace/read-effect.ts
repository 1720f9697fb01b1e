import type { JsonObject } from '../../domain/event.ts';
import { isCud, type HistoryEntry } from '../../domain/history.ts';
import { userIdFault } from '../../domain/user-id.ts';
import { readImages, readRowTexts } from '../../postgres/sql/read-event.ts';
import type { PoolClient } from '../../postgres/transaction.ts';
import type { TracedStatus } from './event-trace.ts';
import { readDrift } from './drift-effect.ts';
import type { StoryContext } from './story-context.ts';
import {
  effectOf,
  imagesWanted,
  rowBefore,
  rowOfTable,
  type BeforeRow,
  type RowEffect,
} from './row-effect.ts';

/** The event whose effect is asked for, in its user's history; `index` is behind the history while it is pending. */
export interface EffectWanted {
  readonly event: {
    readonly userId: string | null;
    readonly operation?: string | null;
    readonly fields?: JsonObject;
    readonly status?: TracedStatus;
  };
  readonly history: readonly HistoryEntry[];
  readonly index: number;
}

/**
 * What an event did to the row, or would do. Null where it has none of its own: a
 * rollback (unless drift kept it from being executed), or what cannot be read.
 * An event that is not in effect is set against the row as the table has it now: that is what a retry meets.
 */
export async function readEffect(
  client: PoolClient,
  { schema, mapper }: StoryContext,
  { event, history, index }: EffectWanted,
): Promise<RowEffect | null> {
  const entry = history[index];
  const { userId } = event;
  // Of an event whose id was another's the history has no operation: it never has an effect.
  const operation = entry === undefined ? (event.operation ?? null) : entry.operation;
  if (mapper === null || userId === null || operation === null) return null;
  if (operation === 'rollback') {
    const error = entry?.status === 'failed' ? entry.error : null;
    return error?.code === 'DRIFT' ? readDrift(client, { schema, mapper }, { userId, history, error }) : null;
  }
  const change = { operation, fields: entry === undefined ? (event.fields ?? null) : entry.fields };
  const kind = kindOf(entry?.status ?? 'pending');
  let before: BeforeRow;
  if (kind === 'would') {
    if (userIdFault(userId, mapper.table.keyType) !== null) return null;
    before = rowOfTable(await readRowTexts(client, mapper.table, userId), mapper);
  } else {
    const wanted = imagesWanted(history, index, mapper);
    const images = await readImages(client, schema, wanted);
    before = rowBefore(history, index, mapper, images);
  }
  return effectOf(kind, before, change, mapper);
}

/** The events of one user whose effects are asked for, and the user's history. */
export interface EffectsWanted {
  readonly userId: string;
  readonly history: readonly HistoryEntry[];
  readonly eventIds: ReadonlySet<string>;
}

/** The same of many events of one user, by event id: in two queries. Absent: what has no effect of its own. */
export async function readEffects(
  client: PoolClient,
  { schema, mapper }: StoryContext,
  { userId, history, eventIds }: EffectsWanted,
): Promise<ReadonlyMap<string, RowEffect>> {
  if (mapper === null || userIdFault(userId, mapper.table.keyType) !== null) return new Map();
  const wanted = history.flatMap((entry, index) =>
    eventIds.has(entry.eventId) && isCud(entry)
      ? [{ entry, kind: kindOf(entry.status), ...near(history, index) }]
      : [],
  );
  const ids = wanted.flatMap(({ past, at, kind }) =>
    kind === 'would' ? [] : imagesWanted(past, at, mapper),
  );
  const images = await readImages(client, schema, [...new Set(ids)]);
  const now = rowOfTable(await readRowTexts(client, mapper.table, userId), mapper);
  return new Map(
    wanted.map(({ entry, kind, past, at }) => {
      const before = kind === 'would' ? now : rowBefore(past, at, mapper, images);
      return [entry.eventId, effectOf(kind, before, entry, mapper)];
    }),
  );
}

/** A history from the nearest before image on: what came earlier does not tell what the row was. */
function near(
  history: readonly HistoryEntry[],
  index: number,
): { readonly past: readonly HistoryEntry[]; readonly at: number } {
  const isImage = (entry: HistoryEntry): boolean =>
    entry.status === 'applied' && isCud(entry) && entry.beforeExists !== null;
  const from = Math.max(0, history.slice(0, index).findLastIndex(isImage));
  return { past: history.slice(from), at: index - from };
}

function kindOf(status: TracedStatus): RowEffect['kind'] {
  switch (status) {
    case 'applied':
      return 'did';
    case 'failed':
    case 'parked':
    case 'pending':
      return 'would';
    case 'rolled_back':
    case 'skipped':
    case 'refused':
      return 'gone';
  }
}
