/**
 * The envelope of an event: CloudEvents 1.0, Kafka binding. https://github.com/cloudevents/spec (kafka-protocol-binding)
 */
import type { CudOperation, JsonObject, Operation, RollbackEvent } from './event.ts';
import type { KeyType } from './users-table.ts';

/** The header names of binary mode that have a meaning here. `ce_` is the binding's prefix. */
export const HEADER = {
  specVersion: 'ce_specversion',
  id: 'ce_id',
  type: 'ce_type',
  source: 'ce_source',
  causationId: 'ce_causationid',
  traceparent: 'traceparent',
} as const;

export const TYPE_OF_OPERATION = {
  create: 'user.created',
  update: 'user.updated',
  delete: 'user.deleted',
  put: 'user.put',
  rollback: 'user.rolledback',
} as const satisfies Record<Operation, string>;

/** What reading needs to know besides the record. */
export interface EnvelopeContext {
  readonly clusterId: string;
  readonly topic: string;
  readonly keyType: KeyType;
  /** `ce_type`s to pass over. Wins over `mapTypes`; our own types are never looked up in either. */
  readonly ignoreTypes: ReadonlySet<string>;
  readonly mapTypes: ReadonlyMap<string, CudOperation>;
}

interface OutgoingHead {
  /** The `ce_id`: a UUID in lower case where we make it, any text where a producer chose it. */
  readonly eventId: string;
  readonly userId: string;
  /** Where it goes; without it the key decides. */
  readonly partition?: number | undefined;
  /** ms since the epoch; without it the time of the append. */
  readonly timestamp?: number | undefined;
  /** The id of the event that led to this one. */
  readonly causationId?: string | undefined;
  /** W3C Trace Context. */
  readonly traceparent?: string | undefined;
}

export interface OutgoingCudEvent extends OutgoingHead {
  readonly kind: 'cud';
  readonly operation: CudOperation;
  /** The user's data without `userId`; of an update just the changed fields. Not sent for a delete. */
  readonly fields: JsonObject;
}

/** What a rollback's value says besides the user. */
export type RollbackTerms = Pick<
  RollbackEvent,
  'targets' | 'mode' | 'upTo' | 'force' | 'reason' | 'operator' | 'rules'
>;

/** Goes to the partition of its targets, whatever the partitioner would say. */
export interface OutgoingRollbackEvent extends OutgoingHead, RollbackTerms {
  readonly kind: 'rollback';
  readonly partition: number;
}

/** An event to publish. */
export type OutgoingEvent = OutgoingCudEvent | OutgoingRollbackEvent;
