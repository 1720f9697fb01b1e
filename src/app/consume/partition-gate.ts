import { setTimeout as delay } from 'node:timers/promises';
import { readGenerations } from '../../postgres/sql/bind-group.ts';
import { readPositions } from '../../postgres/sql/positions.ts';
import type { Database } from '../../postgres/transaction.ts';
import { StoppedError, type Patience } from './patience.ts';

const LOOK_AT_GATE_MS = 200;

/**
 * Resolves when the partition may be executed: one that was added to the topic waits until the old ones are executed to
 * where they ended then (DESIGN 4). StoppedError when `signal` aborts first.
 */
export async function waitAtGate(
  { pool, schema }: Database,
  patience: Patience,
  partition: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const generations = await patience.run(() => readGenerations(pool, schema));
    const growth = generations.find(
      ({ ends, partitionCount }) => partition >= ends.length && partition < partitionCount,
    );
    if (growth === undefined) return;
    const positions = await patience.run(() => readPositions(pool, schema));
    const at = new Map(positions.map(({ partition: old, nextOffset }) => [old, nextOffset]));
    if (growth.ends.every((end, old) => (at.get(old) ?? 0n) >= end)) return;
    await delay(LOOK_AT_GATE_MS, undefined, { signal }).catch(() => {
      throw new StoppedError('stopped at the gate');
    });
  }
}
