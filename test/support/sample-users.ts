import { createUuidV7 } from '../../src/cli/uuid-v7.ts';
import type { CudOperation, JsonObject } from '../../src/domain/event.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';

/** Deterministic NDJSON of user events: creates, updates and deletes that strict rules accept, in order. */
export function sampleEvents(count: number, users: number, seed = 7): string {
  let state = seed;
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
  const alive = new Set<string>();
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const userId = `user-${String(Math.floor(random() * users))}`;
    const data = { name: `Zoë ${String(Math.floor(random() * 1e6))}`, email: `${userId}@example.com` };
    const isThere = alive.has(userId);
    if (isThere && random() < 0.12) {
      alive.delete(userId);
      lines.push(JSON.stringify({ operation: 'delete', userId }));
    } else {
      alive.add(userId);
      lines.push(JSON.stringify({ operation: isThere ? 'update' : 'create', userId, data }));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The same events as the records that `publish` writes, for tests that append without the CLI. */
export function sampleRecords(count: number, users: number, seed?: number): NewRecord[] {
  const newId = createUuidV7(Date.now);
  return sampleEvents(count, users, seed)
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { operation, userId, data } = JSON.parse(line) as SampleLine;
      const event = { kind: 'cud', operation, userId, fields: data ?? {}, eventId: newId() } as const;
      return writeEnvelope(event, '/test');
    });
}

interface SampleLine {
  readonly operation: CudOperation;
  readonly userId: string;
  readonly data?: JsonObject;
}
