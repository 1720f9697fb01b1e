import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Kafka } from '../../scripts/kafka/broker.mjs';
import { startKafka } from '../../scripts/kafka/broker.mjs';
import { twoFreePorts } from '../../scripts/kafka/free-port.mjs';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { codeOf, readAll, records, textOf, useLogs } from '../conformance/harness.ts';
import { useTeams } from '../conformance/team.ts';
import { describePrivateKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';

const START_MS = 120_000;
const PASSWORD = 'changeit';

/** An authority, a certificate by it for 127.0.0.1 in `server.p12`, and another authority. */
async function makeCertificates(folder: string): Promise<{ ca: string; otherCa: string }> {
  const keytool = (...args: readonly string[]) =>
    promisify(execFile)('keytool', [...args, '-storepass', PASSWORD], { cwd: folder });
  const keyPair = ['-genkeypair', '-keyalg', 'EC', '-storetype', 'PKCS12', '-validity', '2'];
  const newAuthority = async (name: string) => {
    const store = ['-keystore', `${name}.p12`, '-alias', name];
    await keytool(...keyPair, ...store, '-dname', `CN=${name}`, '-ext', 'bc:c');
    await keytool('-exportcert', '-rfc', ...store, '-file', `${name}.pem`);
    return readFile(path.join(folder, `${name}.pem`), 'utf8');
  };
  const ca = await newAuthority('ca');
  const otherCa = await newAuthority('other');
  const server = ['-keystore', 'server.p12', '-alias', 'server'];
  await keytool(...keyPair, ...server, '-dname', 'CN=broker');
  await keytool('-certreq', ...server, '-file', 'server.csr');
  const signed = ['-infile', 'server.csr', '-outfile', 'server.pem', '-rfc', '-ext', 'san=ip:127.0.0.1'];
  await keytool('-gencert', '-keystore', 'ca.p12', '-alias', 'ca', ...signed);
  await keytool('-importcert', '-noprompt', '-keystore', 'server.p12', '-alias', 'ca', '-file', 'ca.pem');
  await keytool('-importcert', '-noprompt', ...server, '-file', 'server.pem');
  return { ca, otherCa };
}

/** A broker whose listener for clients is SASL_SSL with PLAIN: alice's password is `secret`. */
async function startSecured(folder: string): Promise<{ kafka: Kafka; brokers: string }> {
  const [[port, securedPort], [controllerPort]] = [await twoFreePorts(), await twoFreePorts()];
  const clients = `PLAINTEXT://127.0.0.1:${port},SASL_SSL://127.0.0.1:${securedPort}`;
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";';
  const kafka = await startKafka({
    name: uniqueName('secured'),
    ownerPid: process.pid,
    port,
    settings: {
      listeners: `${clients},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': clients,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
      'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.sasl_ssl.plain.sasl.jaas.config': login,
      'ssl.keystore.type': 'PKCS12',
      'ssl.keystore.location': path.join(folder, 'server.p12'),
      'ssl.keystore.password': PASSWORD,
    },
  });
  return { kafka, brokers: `127.0.0.1:${securedPort}` };
}

describePrivateKafka('a Kafka behind SASL_SSL with an authority of its own', () => {
  let folder = '';
  let secured: Awaited<ReturnType<typeof startSecured>>;
  let certificates: Awaited<ReturnType<typeof makeCertificates>>;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kafka-tls-'));
    certificates = await makeCertificates(folder);
    secured = await startSecured(folder);
  }, START_MS);
  afterAll(async () => {
    await secured.kafka.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const sasl = { mechanism: 'plain', username: 'alice', password: 'secret' } as const;
  const newTeam = useTeams();
  const logs = useLogs(({ topic, patience }) =>
    createKafkaEventLog({
      brokers: [secured.brokers],
      clientId: 'test',
      topic,
      patience,
      sasl,
      tls: { ca: certificates.ca },
    }),
  );

  test('takes what is appended, and gives it to readers and members', async () => {
    const { log } = await logs.fresh(2);
    const input = records(3_000);
    await log.append(input);
    expect((await readAll(log)).map(textOf).toSorted()).toEqual(input.map(textOf).toSorted());
    const team = newTeam(uniqueName('group'));
    await team.join('one', log);
    await waitFor(() => team.received.length === input.length, { describe: 'all records' });
    expect(team.violations).toEqual([]);
  });

  test('is not spoken to under a certificate of another authority', async () => {
    const { topic } = await logs.fresh(1);
    const tls = { ca: certificates.otherCa };
    const settings = { brokers: [secured.brokers], clientId: 'test', topic, patience: 'short' } as const;
    const log = createKafkaEventLog({ ...settings, sasl, tls });
    expect(await codeOf(log.append(records(1)))).toBe('LOG_AUTH_FAILED');
    await log.close();
  });
});
