/** Records as producers of every kind would write them, for the tests of readEnvelope. */
import type { EnvelopeContext } from '../../src/domain/envelope.ts';
import type { LogEvent } from '../../src/domain/event.ts';
import { readEnvelope } from '../../src/domain/read-envelope.ts';
import type { LogRecord, RecordHeader } from '../../src/domain/record.ts';

export const ID = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';
export const CONTEXT: EnvelopeContext = {
  clusterId: 'cluster',
  topic: 'users',
  keyType: 'text',
  ignoreTypes: new Set(['user.seen', 'both']),
  mapTypes: new Map([
    ['com.example.UserRegistered', 'create'],
    ['com.example.UserGone', 'delete'],
    ['both', 'put'],
    ['user.created', 'delete'],
  ]),
};

export type Headers = Record<string, string | Buffer | null>;

function header([key, value]: [string, string | Buffer | null]): RecordHeader {
  return { key, value: typeof value === 'string' ? Buffer.from(value) : value };
}

export function record(key: string | null, value: string | object | null, headers: Headers = {}): LogRecord {
  const text = typeof value === 'string' || value === null ? value : JSON.stringify(value);
  return {
    partition: 2,
    offset: 41n,
    timestamp: 1700000000123,
    key: key === null ? null : Buffer.from(key),
    value: text === null ? null : Buffer.from(text),
    headers: Object.entries(headers).map(header),
  };
}

export function ce(type: string | null, more: Headers = {}): Headers {
  return {
    ce_specversion: '1.0',
    ce_id: ID,
    ce_source: 'urn:crm',
    ...(type === null ? {} : { ce_type: type }),
    ...more,
  };
}

export function read(input: LogRecord, context: Partial<EnvelopeContext> = {}): LogEvent {
  return readEnvelope(input, { ...CONTEXT, ...context });
}

export const STRUCTURED = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };
