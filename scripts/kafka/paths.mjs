import path from 'node:path';

/** The Kafka release that is fetched and run. */
export const KAFKA_VERSION = '4.3.1';

const ROOT = path.resolve(import.meta.dirname, '../../.kafka');

/** Where everything of this script lives (gitignored): jars, broker data, state files. */
export const KAFKA_HOME = ROOT;

/** The jars of the release. Made in one rename, so that it is either absent or complete. */
export const LIBS_DIR = path.join(ROOT, `libs-${KAFKA_VERSION}`);

/** @param {string} name of an instance */
export const stateFile = (name) => path.join(ROOT, 'instances', `${name}.json`);

/** @param {string} name of an instance */
export const defaultDataDir = (name) => path.join(ROOT, 'instances', name);
