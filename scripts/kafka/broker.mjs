import { rm } from 'node:fs/promises';
import { BrokerDiedError, endProcess, launchBroker } from './broker-process.mjs';
import { isTaken, twoFreePorts } from './free-port.mjs';
import { allStates, isAlive, isRunning, readState, removeState, writeState } from './instance-state.mjs';
import { kafkaClassPath } from './jars.mjs';
import { defaultDataDir } from './paths.mjs';

/** How often a start is tried with other ports when somebody took them first. */
const PORT_ATTEMPTS = 4;

/**
 * @typedef {object} StartOptions
 * @property {string} name of the instance: its data and state are kept under it
 * @property {number} [port] where clients connect; a free one when left out
 * @property {string} [dataDir] absolute
 * @property {Readonly<Record<string, string>>} [settings] broker settings on top of the ones for tests
 * @property {number} [ownerPid] the instance is an orphan, and swept, when this process has ended
 * @property {boolean} [quick] start fast, run slower (C1 compiler only); default true
 */

/**
 * @typedef {object} Kafka
 * @property {string} brokers value for KAFKA_BROKERS
 * @property {number} port
 * @property {() => number | null} pid of the broker's JVM now
 * @property {() => Promise<boolean>} isRunning
 * @property {() => Promise<void>} stop controlled; its data stay
 * @property {() => Promise<void>} kill9 as a power cut would: SIGKILL
 * @property {() => Promise<void>} restart stops it if it runs and starts it on the same port and data
 * @property {() => Promise<void>} remove stops it and deletes its data
 */

/**
 * Starts a one-node Kafka broker and resolves when it answers. One that runs under that name already is returned.
 * @param {StartOptions} options
 * @returns {Promise<Kafka>}
 * @throws {import('./jars.mjs').KafkaUnavailableError} without Java 17 or Maven
 */
export async function startKafka(options) {
  const known = await readState(options.name);
  if (known !== null && (await isRunning(known))) return handle(known);
  return handle(await startInstance(options, known));
}

/**
 * The instance that was started under that name and not removed, running or not.
 * @param {string} name @returns {Promise<Kafka | null>}
 */
export async function findKafka(name) {
  const state = await readState(name);
  return state === null ? null : handle(state);
}

/**
 * Removes instances whose owner has ended without stopping them (it was killed). Returns their names.
 * @returns {Promise<string[]>}
 */
export async function sweepOrphans() {
  const states = await allStates();
  const orphans = states.filter(({ ownerPid }) => ownerPid !== null && !isAlive(ownerPid));
  await Promise.all(orphans.map((state) => handle(state).remove()));
  return orphans.map(({ name }) => name);
}

/** @typedef {import('./instance-state.mjs').InstanceState} InstanceState */

/**
 * @param {StartOptions} options
 * @param {InstanceState | null} known the instance as it ran before
 * @returns {Promise<InstanceState>}
 */
async function startInstance(options, known) {
  const { name, settings = known?.settings ?? {}, quick = known?.quick ?? true } = options;
  const classPath = await kafkaClassPath();
  const dataDir = options.dataDir ?? known?.dataDir ?? defaultDataDir(name);
  const fixedPort = options.port ?? known?.port;
  for (let attempt = 1; ; attempt++) {
    const [freePort, controllerPort] = await twoFreePorts();
    const address = {
      port: fixedPort ?? freePort,
      // The quorum's voter record keeps the controller's port, so data that exist need the port they were made with.
      controllerPort: known?.controllerPort ?? controllerPort,
      dataDir,
    };
    // Known from the first moment: whoever ends this process now, the sweep finds what it began.
    /** @type {InstanceState} */
    const state = { name, pid: null, ownerPid: options.ownerPid ?? null, ...address, settings, quick };
    try {
      await writeState(state);
      await launchBroker(address, {
        classPath,
        settings,
        quick,
        onSpawn: (pid) => {
          state.pid = pid;
          return writeState(state);
        },
      });
      return state;
    } catch (error) {
      const mayMove = known === null && options.port === undefined && error instanceof BrokerDiedError;
      const wasTaken = mayMove && ((await isTaken(address.port)) || (await isTaken(address.controllerPort)));
      if (!wasTaken || attempt === PORT_ATTEMPTS) throw error;
      await rm(dataDir, { recursive: true, force: true });
    }
  }
}

/** @param {InstanceState} initial @returns {Kafka} */
function handle(initial) {
  let state = initial;
  const end = async (/** @type {'SIGTERM' | 'SIGKILL'} */ signal) => {
    if (state.pid !== null && (await isRunning(state))) await endProcess(state.pid, signal);
  };
  return {
    brokers: `127.0.0.1:${state.port}`,
    port: state.port,
    pid: () => state.pid,
    isRunning: () => isRunning(state),
    stop: () => end('SIGTERM'),
    kill9: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM');
      const { name, ownerPid, quick } = state;
      state = await startInstance({ name, quick, ...(ownerPid === null ? {} : { ownerPid }) }, state);
    },
    async remove() {
      await end('SIGTERM');
      await rm(state.dataDir, { recursive: true, force: true });
      await removeState(state.name);
    },
  };
}
