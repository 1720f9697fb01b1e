/** kafkajs's own decoding of Fetch answers: the oracle of our decoder. Its inside is imported by path, as tests may. */
import { createRequire } from 'node:module';
import type { FetchResponse } from '../../src/log/kafka/private-api.ts';

interface StockResponse {
  decode(body: Buffer): Promise<FetchResponse>;
}

/** Decodes the body of a Fetch answer of version 11 as kafkajs does. */
export function stockDecodeFetch(body: Buffer): Promise<FetchResponse> {
  const loaded: unknown = createRequire(import.meta.url)('kafkajs/src/protocol/requests/fetch/v11/response');
  if (!isResponse(loaded)) throw new Error('This is not kafkajs 2.2.4');
  return loaded.decode(body);
}

function isResponse(value: unknown): value is StockResponse {
  return (
    typeof value === 'object' && value !== null && 'decode' in value && typeof value.decode === 'function'
  );
}
