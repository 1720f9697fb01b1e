/**
 * @typedef {object} BrokerAddress
 * @property {number} port where clients connect
 * @property {number} controllerPort where the broker talks to itself
 * @property {string} dataDir
 */

/**
 * server.properties of a one-node KRaft broker for development and tests.
 * @param {BrokerAddress} address
 * @param {Readonly<Record<string, string>>} overrides more settings, or other values for these
 * @returns {string}
 */
export function serverProperties({ port, controllerPort, dataDir }, overrides) {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    'log.dirs': `${dataDir}/log`,
    // A topic comes into being by being made, never by a typing error.
    'auto.create.topics.enable': 'false',
    // Records of tests have times of their own: a week old by them, they would be deleted whenever the broker looks.
    'log.retention.ms': '-1',
    // One node: every internal topic has one replica, and few partitions start faster.
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    // Defaults made for clusters cost seconds per test: 3 s before a group's first assignment, 6 s as the shortest
    // session, 2 s between the heartbeats that let a starting broker in and a stopping one out.
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '200',
    // How long a broker that was killed is waited for before its successor is let in (9 s by default).
    'broker.session.timeout.ms': '3000',
    // Threads and buffers for two cores and a small heap (the cleaner's buffer alone is 128 MB by default).
    'num.network.threads': '2',
    'num.io.threads': '4',
    'background.threads': '2',
    'log.cleaner.dedupe.buffer.size': String(8 * 1024 * 1024),
    ...overrides,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** log4j2 configuration: warnings and errors to stdout, which is the instance's log file. */
export const LOG4J_PROPERTIES = `status = error
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.stdout.ref = stdout
`;
