/** One event's story, for the tests of its view. */
import type { EventTrace } from '../../src/app/trace/event-trace.ts';
import type { FieldEffect, RowEffect } from '../../src/app/trace/row-effect.ts';
import { RawJson } from '../../src/domain/raw-json.ts';

export const ID = '0190a3c4-7e1b-7c3d-8e4f-000000000001';
export const OTHER = '0190a3c4-7e1b-7c3d-8e4f-000000000002';
/** Five minutes after the sample was published. */
export const NOW = Date.UTC(2026, 0, 2, 3);

export const FAILED: EventTrace = {
  eventId: ID,
  ceId: null,
  operation: 'update',
  userId: 'u2',
  status: 'failed',
  topic: 'users',
  partition: 0,
  offset: 7n,
  timestamp: '2026-01-02T02:55:00.123Z',
  published: {
    record: new RawJson('{}'),
    missing: null,
    source: 'urn:crm',
    type: 'user.updated',
    traceparent: null,
    causationId: null,
  },
  decidedAt: '2026-01-02T02:55:01.000Z',
  attempts: 2,
  error: {
    code: 'DATABASE_CONSTRAINT',
    sqlState: '23505',
    message: 'duplicate key value violates unique constraint "email_unique"',
    detail: {
      schema: 'public',
      table: 'users',
      constraint: 'email_unique',
      detail: 'Key (email)=(ada@example.com) already exists.',
    },
    hint: 'Mend the row.',
    constraint: {
      name: 'email_unique',
      definition: 'UNIQUE (email)',
      columns: ['email'],
      isUnique: true,
      heldBy: 'u1',
    },
    invalid: [],
  },
  fields: { email: 'ada@example.com', age: 41 },
  raw: null,
  row: effect('would', 'table', [
    field('email', '"bob@example.com"', '"ada@example.com"', true),
    field('age', 'null', '41', true),
    field('name', '"Bob"', '"Bob"', false),
  ]),
  rowMissing: null,
  blockedBy: null,
  parked: {
    count: 3,
    first: [{ eventId: OTHER, operation: 'update', status: 'parked', partition: 0, offset: 8n, code: null }],
  },
  underWay: [],
  withdrawnBy: [],
  rollback: null,
  decisions: {
    count: 1,
    newest: [
      {
        at: new Date('2026-01-02T02:58:00Z'),
        cause: 'retry',
        causedBy: null,
        operator: 'ops@host',
        reason: 'mended',
        status: 'failed',
        code: 'DATABASE_CONSTRAINT',
        sqlState: '23505',
        message: '…',
      },
    ],
  },
  backlog: null,
  next: [{ command: `user-events retry ${ID}`, purpose: 'execute it again' }],
};

export function field(name: string, before: string, after: string, isChanged: boolean): FieldEffect {
  return {
    field: name,
    before: new RawJson(before),
    after: new RawJson(after),
    isCarried: isChanged,
    isChanged,
  };
}

export function effect(
  kind: RowEffect['kind'],
  source: RowEffect['source'],
  fields: readonly FieldEffect[],
): RowEffect {
  return { kind, source, before: {}, after: {}, fields };
}
