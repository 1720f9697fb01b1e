import { UserEventsError } from '../../errors/user-events-error.ts';
import { decompress } from './compression.ts';
import { DecodedPartition } from './decoded-partition.ts';
import type { FetchResponse } from './private-api.ts';
import type { CodecUse, Protocol } from './protocol.ts';
import { MalformedError } from './wire/byte-reader.ts';
import { decodeFetchResponse } from './wire/fetch-response.ts';

/** The version that kafkajs 2.2.4 asks every broker since Kafka 2.3 for; older ones are left to it. */
const VERSION = 11;

/** The answer with our decoder in it; the request, and what is said of errors, are kafkajs's. */
export function fastFetch(protocol: Protocol, _options: unknown, use: CodecUse): Protocol {
  if (protocol.request.apiVersion !== VERSION) return protocol;
  const decode = (body: Buffer) => {
    use.decoded += 1;
    return decodeFetchBody(body);
  };
  return { ...protocol, response: { ...protocol.response, decode } };
}

/**
 * Decodes the body of an answer into the form that kafkajs's own decoder gives it. LOG_CORRUPT where it is no such
 * answer; what cannot be read of one partition is told when that partition is read.
 */
export async function decodeFetchBody(body: Buffer): Promise<FetchResponse> {
  const { throttleTimeMs, errorCode, sessionId, topics } = await decodeFetchResponse(body, decompress).catch(
    (error: unknown) => {
      if (!(error instanceof MalformedError)) throw error;
      const message = `An answer of Kafka to a fetch cannot be read: ${error.message}`;
      throw new UserEventsError('LOG_CORRUPT', message, { cause: error });
    },
  );
  return {
    // Since KIP-219 it is the client that waits, not the broker that has waited.
    throttleTime: 0,
    clientSideThrottleTime: throttleTimeMs,
    errorCode,
    sessionId,
    responses: topics.map(({ topic, partitions }) => ({
      topicName: topic,
      partitions: partitions.map((partition) => new DecodedPartition(topic, partition)),
    })),
  };
}
