/**
 * A process that owns the servers of one test run: starts one PostgreSQL and one Kafka broker, says where they are in
 * one JSON line on stdout, and stops them when its stdin closes. Whatever ends the run (its end, a failure, Ctrl-C,
 * kill -9 of jest) closes that pipe, so nothing is left running.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { startKafka } from '../../../scripts/kafka/broker.mjs';
import { kafkaClassPath, KafkaUnavailableError } from '../../../scripts/kafka/jars.mjs';
import { startPostgresServer } from '../postgres-server.ts';
import { postgresFolder, runDirPrefix, stopLeftovers } from './leftovers.ts';
import { createTemplateDatabase } from './template-database.ts';

/** What the keeper says; global-setup.mjs hands it to the tests as environment variables. */
export interface Services {
  readonly runDir: string;
  readonly postgresUrl: string;
  readonly templateDatabase: string;
  /** The broker of the run, and why no broker can be started from here; null each where there is none. */
  readonly kafka: { readonly brokers: string | null; readonly missing: string | null };
}

type Stop = () => Promise<unknown>;

const noStop: Stop = () => Promise.resolve();

async function providePostgres(runDir: string): Promise<{ url: string; template: string; stop: Stop }> {
  const given = process.env['TEST_POSTGRES_URL'];
  const server =
    given === undefined
      ? await startPostgresServer(postgresFolder(runDir))
      : { connectionString: given, stop: noStop };
  const template = await createTemplateDatabase(server.connectionString);
  return { url: server.connectionString, template, stop: () => server.stop() };
}

async function provideKafka(): Promise<{ kafka: Services['kafka']; stop: Stop }> {
  const given = process.env['KAFKA_BROKERS'];
  const brokers = given === undefined || given === '' ? null : given;
  try {
    await kafkaClassPath();
  } catch (error) {
    if (!(error instanceof KafkaUnavailableError)) throw error;
    return { kafka: { brokers, missing: error.message }, stop: noStop };
  }
  if (brokers !== null) return { kafka: { brokers, missing: null }, stop: noStop };
  const kafka = await startKafka({ name: `test-${process.pid}`, ownerPid: process.pid });
  return { kafka: { brokers: kafka.brokers, missing: null }, stop: () => kafka.remove() };
}

async function keep(): Promise<void> {
  const runEnded = new Promise<void>((resolve) => {
    process.stdin.on('end', resolve).resume();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  await stopLeftovers();
  const runDir = await mkdtemp(runDirPrefix);
  // Run by root, PostgreSQL is another account, which has to get to its folder in here.
  await chmod(runDir, 0o711);
  const postgres = providePostgres(runDir);
  const kafka = provideKafka();
  const started: readonly Promise<{ stop: Stop }>[] = [postgres, kafka];
  await Promise.allSettled(started);
  try {
    const { url: postgresUrl, template: templateDatabase } = await postgres;
    const services: Services = { runDir, postgresUrl, templateDatabase, kafka: (await kafka).kafka };
    process.stdout.write(`${JSON.stringify(services)}\n`);
    await runEnded;
  } finally {
    await Promise.allSettled(started.map(async (server) => (await server).stop()));
    await rm(runDir, { recursive: true, force: true });
  }
}

await keep();
process.exit();
