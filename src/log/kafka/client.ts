import { Kafka, type KafkaConfig, type RetryOptions, type SASLOptions } from 'kafkajs';
import { registerCodecs } from './compression.ts';
import { withFastCodec } from './fast-codec.ts';
import { kafkaLogLevel, stderrLog } from './log-creator.ts';
import type { CodecUse } from './protocol.ts';
import type { KafkaSasl, KafkaSettings, Patience } from './settings.ts';
import { Sockets, splittableAddress } from './sockets.ts';

export interface KafkaClient {
  readonly kafka: Kafka;
  readonly sockets: Sockets;
  /** Null where the fast codec is off. */
  readonly codec: CodecUse | null;
}

/**
 * kafkajs's retries. All of them are given, since its defaults change with NODE_ENV. Those of the client decide what
 * is ridden out, whatever producer and consumer have (measured); the long ones never give up.
 */
const RETRY: Record<Patience, Required<Omit<RetryOptions, 'restartOnFailure'>>> = {
  short: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 },
  long: {
    retries: Number.MAX_SAFE_INTEGER,
    initialRetryTime: 100,
    maxRetryTime: 1_000,
    factor: 0.2,
    multiplier: 2,
  },
};

const CONNECTION_TIMEOUT_MS: Record<Patience, number> = { short: 1_000, long: 3_000 };
/** How long an answer may take. The broker itself waits up to 30 s for its replicas. */
const REQUEST_TIMEOUT_MS: Record<Patience, number> = { short: 8_000, long: 30_000 };

/** The one place where a kafkajs client is made: what is to hold for all of them is put here. */
export function createKafkaClient(settings: KafkaSettings, patience: Patience): KafkaClient {
  registerCodecs();
  const sockets = new Sockets();
  const level = kafkaLogLevel(process.env['DEBUG']);
  const config: KafkaConfig = {
    brokers: settings.brokers.map(splittableAddress),
    clientId: settings.clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS[patience],
    requestTimeout: REQUEST_TIMEOUT_MS[patience],
    // Every attempt takes the next broker of the list: all of them have to have their turn.
    retry: { ...RETRY[patience], retries: Math.max(RETRY[patience].retries, settings.brokers.length - 1) },
    socketFactory: sockets.factory,
    logLevel: level,
    logCreator: stderrLog,
    ...(settings.sasl === undefined ? {} : { sasl: saslOptions(settings.sasl) }),
    ...(settings.tls === undefined || settings.tls === false ? {} : { ssl: { ...settings.tls } }),
  };
  const kafka = new Kafka(config);
  const { fastCodec = true, notify = () => undefined } = settings;
  return { kafka, sockets, codec: fastCodec ? withFastCodec(kafka, { warn: notify }) : null };
}

/** kafkajs's type ties each mechanism to its own options; those of these three are the same. */
function saslOptions({ mechanism, username, password }: KafkaSasl): SASLOptions {
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}
