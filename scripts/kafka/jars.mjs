import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { KAFKA_HOME, KAFKA_VERSION, LIBS_DIR } from './paths.mjs';

const run = promisify(execFile);
/** Kafka 4 brokers need Java 17. */
const OLDEST_JAVA = 17;

// kafka-tools and connect-runtime are not needed to start a broker; kafka-tools has the console tools with which
// interoperability is tried, and connect-runtime the converters. log4j-slf4j-impl is what makes the broker's own
// errors appear in its log file (the version is the one that Kafka's log4j-core has).
const ARTIFACTS = [
  ['org.apache.kafka', 'kafka_2.13', KAFKA_VERSION],
  ['org.apache.kafka', 'kafka-tools', KAFKA_VERSION],
  ['org.apache.kafka', 'connect-runtime', KAFKA_VERSION],
  ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.4'],
];

/** Java or Maven is missing: the message says which and what else can be done. */
export class KafkaUnavailableError extends Error {
  /** @override */
  name = 'KafkaUnavailableError';
}

/**
 * The class path of a Kafka broker; fetches the jars through Maven at the first call.
 * @returns {Promise<string>}
 * @throws {KafkaUnavailableError} without Java 17, or without Maven while the jars are not there yet
 */
export async function kafkaClassPath() {
  await requireJava();
  if (!existsSync(LIBS_DIR)) await fetchJars();
  return path.join(LIBS_DIR, '*');
}

async function requireJava() {
  const version = await run('java', ['-version']).then(
    ({ stderr }) => Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0),
    () => 0,
  );
  if (version >= OLDEST_JAVA) return;
  const found = version === 0 ? 'no `java` is on the PATH' : `the \`java\` on the PATH is ${version}`;
  throw new KafkaUnavailableError(
    `A Kafka broker needs Java ${OLDEST_JAVA} or newer, and ${found}. Install it, or set KAFKA_BROKERS to a broker that runs.`,
  );
}

async function fetchJars() {
  await run('mvn', ['-version']).catch(() => {
    throw new KafkaUnavailableError(
      'The Kafka jars are fetched through Maven, and no `mvn` is on the PATH. Install it, or set KAFKA_BROKERS to a broker that runs.',
    );
  });
  process.stderr.write(
    `Fetching the jars of Apache Kafka ${KAFKA_VERSION} through Maven (once, about 55 MB)\n`,
  );
  await mkdir(KAFKA_HOME, { recursive: true });
  const staging = `${LIBS_DIR}.${process.pid}`;
  const pom = path.join(KAFKA_HOME, `pom.${process.pid}.xml`);
  await writeFile(pom, pomText());
  try {
    const goal = 'dependency:copy-dependencies';
    await run('mvn', ['-q', '-B', '-f', pom, goal, `-DoutputDirectory=${staging}`, '-DincludeScope=runtime']);
    await moveIntoPlace(staging);
  } finally {
    await rm(pom, { force: true });
    await rm(staging, { recursive: true, force: true });
  }
}

/** Two runs may fetch at once: the first rename wins, and the other's jars are the same. @param {string} staging */
async function moveIntoPlace(staging) {
  const jars = await readdir(staging);
  if (!jars.includes(`kafka_2.13-${KAFKA_VERSION}.jar`))
    throw new Error(`Maven left no Kafka jar in ${staging}`);
  await rename(staging, LIBS_DIR).catch((/** @type {unknown} */ error) => {
    if (!existsSync(LIBS_DIR)) throw error;
  });
}

function pomText() {
  const dependencies = ARTIFACTS.map(
    ([group, artifact, version]) =>
      `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0">',
    '  <modelVersion>4.0.0</modelVersion>',
    '  <groupId>local</groupId><artifactId>kafka-libs</artifactId><version>1</version><packaging>pom</packaging>',
    '  <dependencies>',
    ...dependencies,
    '  </dependencies>',
    '</project>',
    '',
  ].join('\n');
}
