import { logLevel, type logCreator } from 'kafkajs';

/** The names in DEBUG (comma separated) that switch kafkajs's own log on. */
const SWITCHES = ['user-events', 'kafkajs'];

/**
 * kafkajs logs what is expected (a rebalance, a topic that exists, a broker that restarts) as errors. What matters
 * reaches the user as an error with a code, so that its log is silent unless DEBUG asks for it.
 */
export function kafkaLogLevel(debug: string | undefined): logLevel {
  const isWanted = (debug ?? '').split(',').some((name) => SWITCHES.includes(name.trim()));
  return isWanted ? logLevel.DEBUG : logLevel.NOTHING;
}

/** Writes one JSON line an entry to stderr. */
export const stderrLog: logCreator = () => {
  return ({ namespace, label, log }) => {
    process.stderr.write(`${JSON.stringify({ level: label, namespace: `kafkajs ${namespace}`, ...log })}\n`);
  };
};
