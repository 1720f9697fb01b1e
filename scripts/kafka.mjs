// A real Kafka broker for development, without Docker: `npm run kafka -- start|stop|restart|status|remove`.
import { parseArgs } from 'node:util';
import { findKafka, startKafka, sweepOrphans } from './kafka/broker.mjs';
import { allStates, isRunning } from './kafka/instance-state.mjs';
import { KafkaUnavailableError } from './kafka/jars.mjs';

const USAGE = `Usage: npm run kafka -- [COMMAND] [--name NAME] [--port PORT]

  start     (default) start a one-node Kafka broker, wait until it answers, print KAFKA_BROKERS=…
  stop      stop it; its topics stay
  restart   stop and start it on the same port
  status    print whether it runs (exit 0) or not (exit 5)
  remove    stop it and delete its topics

  --name    which instance, when several are wanted (default: default)
  --port    where clients connect (default: a free port, kept over restarts)

The jars come through Maven at the first start and everything is kept in .kafka/. Needs Java 17 or newer.
To use it: export "$(npm run -s kafka)"
`;

/** Exit codes as the CLI has them: usage, configuration, not found. */
const EXIT = { usage: 2, unavailable: 3, notFound: 5 };

/** @param {string} text */
function say(text) {
  process.stderr.write(`${text}\n`);
}

/** @param {string} brokers */
function printBrokers(brokers) {
  process.stdout.write(`KAFKA_BROKERS=${brokers}\n`);
}

/** @type {Record<string, (options: {name: string, port?: number}) => Promise<void>>} */
const COMMANDS = {
  start,
  async restart({ name, port }) {
    await (await findKafka(name))?.stop();
    await start({ name, ...(port === undefined ? {} : { port }) });
  },
  async stop({ name }) {
    const kafka = await findKafka(name);
    const ran = kafka !== null && (await kafka.isRunning());
    await kafka?.stop();
    say(ran ? `Kafka instance ${name} is stopped` : `Kafka instance ${name} does not run`);
  },
  async remove({ name }) {
    const kafka = await findKafka(name);
    await kafka?.remove();
    say(kafka === null ? `There is no Kafka instance ${name}` : `Kafka instance ${name} is removed`);
  },
  async status({ name }) {
    for (const state of await allStates()) {
      say(
        `${state.name}: ${(await isRunning(state)) ? `runs, pid ${state.pid}` : 'stopped'}, port ${state.port}`,
      );
    }
    const kafka = await findKafka(name);
    if (kafka !== null && (await kafka.isRunning())) {
      printBrokers(kafka.brokers);
    } else {
      say(`Kafka instance ${name} does not run; start it with: ${commandFor('start', name)}`);
      process.exitCode = EXIT.notFound;
    }
  },
};

/** @param {string} command @param {string} name */
function commandFor(command, name) {
  return `npm run kafka -- ${command}${name === 'default' ? '' : ` --name ${name}`}`;
}

/** @param {{name: string, port?: number}} options */
async function start(options) {
  await sweepOrphans();
  const kafka = await startKafka({ ...options, quick: false });
  const pid = String(kafka.pid());
  say(`Kafka instance ${options.name} runs (pid ${pid}); stop it with: ${commandFor('stop', options.name)}`);
  printBrokers(kafka.brokers);
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { name: { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  if (values.help === true) return void process.stdout.write(USAGE);
  const name = values.name ?? 'default';
  const port = values.port === undefined ? undefined : Number(values.port);
  const command = Object.hasOwn(COMMANDS, positionals[0] ?? 'start')
    ? COMMANDS[positionals[0] ?? 'start']
    : undefined;
  const portIsGood = port === undefined || (Number.isInteger(port) && port > 0 && port < 65_536);
  if (command === undefined || positionals.length > 1 || !portIsGood || !/^[\w-]+$/.test(name)) {
    process.stderr.write(USAGE);
    process.exitCode = EXIT.usage;
    return undefined;
  }
  return command({ name, ...(port === undefined ? {} : { port }) });
}

main().catch((/** @type {unknown} */ error) => {
  const isUsage =
    error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  if (isUsage) process.stderr.write(`${error.message}\n\n${USAGE}`);
  else process.stderr.write(`${error instanceof KafkaUnavailableError ? error.message : String(error)}\n`);
  process.exitCode = isUsage ? EXIT.usage : error instanceof KafkaUnavailableError ? EXIT.unavailable : 1;
});
