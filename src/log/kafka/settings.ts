export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

export interface KafkaTls {
  /** PEM text, not file names. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** False accepts a certificate that cannot be verified. */
  readonly rejectUnauthorized?: boolean;
  /** The name the certificate must have, where it is not the broker's host name. */
  readonly servername?: string;
}

/**
 * How long an operation tries: `short` for commands (an error within 2 s where nobody listens, within 10 s where
 * nobody answers), `long` for what has to ride out a log that is away, for as long as that takes.
 */
export type Patience = 'short' | 'long';

export interface KafkaSettings {
  /** `host:port`, `[ipv6]:port`; the port is 9092 where it is left out. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly topic: string;
  readonly patience: Patience;
  readonly sasl?: KafkaSasl;
  readonly tls?: KafkaTls | false;
  /** False leaves records to kafkajs's own codec. @default true */
  readonly fastCodec?: boolean;
  /** Told what the user should know. */
  readonly notify?: (text: string) => void;
}
