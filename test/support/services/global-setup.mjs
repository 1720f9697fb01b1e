import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';

/** Where global-teardown.mjs finds how to stop the servers. */
export const STOP = Symbol.for('user-events: stop the test servers');
const KEEPER = path.join(import.meta.dirname, 'keeper.ts');

/**
 * Starts the servers of this run in a process of their own (keeper.ts) and tells the tests where they are:
 * TEST_POSTGRES_URL, TEST_TEMPLATE_DATABASE, TEST_RUN_DIR, KAFKA_BROKERS if there is a broker, and
 * TEST_KAFKA_MISSING (why not) if none can be started from here.
 */
export default async function startServices() {
  // Jest runs the set-up of every kind of project that has tests in the run; they share the servers.
  if (Reflect.has(globalThis, STOP)) return;
  // In a session of its own: Ctrl-C ends jest, and the keeper, whose stdin then closes, stops the servers in order.
  const keeper = spawn(process.execPath, ['--import', 'tsx', KEEPER], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(keeper, 'exit');
  const lines = readline.createInterface({ input: keeper.stdout });
  const first = await Promise.race([once(lines, 'line'), exited.then(() => null)]);
  if (first === null) throw new Error('The test servers did not start: see the error above');
  const services = /** @type {import('./keeper.ts').Services} */ (JSON.parse(String(first[0])));
  process.env['TEST_RUN_DIR'] = services.runDir;
  process.env['TEST_POSTGRES_URL'] = services.postgresUrl;
  process.env['TEST_TEMPLATE_DATABASE'] = services.templateDatabase;
  const { brokers, missing } = services.kafka;
  if (brokers !== null) process.env['KAFKA_BROKERS'] = brokers;
  if (missing !== null) process.env['TEST_KAFKA_MISSING'] = missing;
  Reflect.set(globalThis, STOP, async () => {
    keeper.stdin.end();
    await exited;
  });
}
