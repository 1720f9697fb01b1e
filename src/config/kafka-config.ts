import { readFileSync } from 'node:fs';
import { UserEventsError } from '../errors/user-events-error.ts';
import {
  invalidSetting,
  originOf,
  readList,
  readText,
  readYes,
  type Origin,
  type SettingSources,
} from './settings.ts';

export interface SaslConfig {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** PEM texts, read from the files that the settings name; the system's own authorities where `ca` is absent. */
export interface TlsConfig {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** False accepts a certificate that cannot be verified. */
  readonly rejectUnauthorized?: boolean;
  /** The name that the broker's certificate must have, where it is not its host name. */
  readonly servername?: string;
}

export interface KafkaConfig {
  readonly engine: 'kafka';
  /** `host:port` each. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly sasl: SaslConfig | null;
  readonly tls: TlsConfig | null;
  /** False leaves the encoding and decoding of records to kafkajs. */
  readonly fastCodec: boolean;
}

/** Kafka's settings; null where no brokers are named. CONFIG_INVALID where SASL or TLS is given in part. */
export function readKafka(sources: SettingSources): KafkaConfig | null {
  const origin = originOf('brokers', sources);
  if (origin === null) return null;
  const brokers = readList('brokers', sources) ?? [];
  if (brokers.length === 0) throw invalidSetting(origin, 'must be HOST:PORT,…');
  return {
    engine: 'kafka',
    brokers: brokers.map((broker) => readBroker(broker, origin)),
    clientId: readText('clientId', sources) ?? 'user-events',
    sasl: readSasl(sources),
    tls: readTls(sources),
    fastCodec: readYes('fastCodec', sources) ?? true,
  };
}

/** `host`, `host:port` or `[IPv6]:port`; the port is 9092 where none is given. */
function readBroker(broker: string, origin: Origin): string {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+)(?::(\d{1,5}))?$/.exec(broker);
  const port = Number(match?.[2] ?? '9092');
  if (match?.[1] !== undefined && port > 0 && port < 65536) return `${match[1]}:${port}`;
  throw invalidSetting(origin, 'must be HOST:PORT,…');
}

function readSasl(sources: SettingSources): SaslConfig | null {
  const mechanism = readText('saslMechanism', sources);
  const username = readText('saslUsername', sources);
  const password = readText('saslPassword', sources);
  if (mechanism === undefined && username === undefined && password === undefined) return null;
  if (username === undefined || password === undefined) {
    throw new UserEventsError(
      'CONFIG_INVALID',
      'SASL is configured in part: a user name and a password are needed',
      {
        hint: 'Set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, and KAFKA_SASL_MECHANISM where it is not plain.',
      },
    );
  }
  const isScram = mechanism === 'scram-sha-256' || mechanism === 'scram-sha-512';
  return { mechanism: isScram ? mechanism : 'plain', username, password };
}

/** TLS is on where it is enabled, or where any of its settings is there; KAFKA_TLS_ENABLED=false turns it off. */
function readTls(sources: SettingSources): TlsConfig | null {
  const names = ['tlsCaFile', 'tlsCertFile', 'tlsKeyFile', 'tlsServerName'] as const;
  const isNamed = names.some((name) => originOf(name, sources) !== null);
  if (!(readYes('tlsEnabled', sources) ?? isNamed)) return null;
  const ca = readPem('tlsCaFile', sources);
  const cert = readPem('tlsCertFile', sources);
  const key = readPem('tlsKeyFile', sources);
  const servername = readText('tlsServerName', sources);
  const rejectUnauthorized = readYes('tlsRejectUnauthorized', sources);
  if ((cert === undefined) !== (key === undefined)) {
    throw new UserEventsError(
      'CONFIG_INVALID',
      'A client certificate needs its key, and a key its certificate',
      {
        hint: 'Set KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE, or neither.',
      },
    );
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

function readPem(
  name: 'tlsCaFile' | 'tlsCertFile' | 'tlsKeyFile',
  sources: SettingSources,
): string | undefined {
  const path = readText(name, sources);
  const origin = originOf(name, sources);
  if (path === undefined || origin === null) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalidSetting(origin, `names ${path}, which cannot be read`, undefined, error);
  }
}
