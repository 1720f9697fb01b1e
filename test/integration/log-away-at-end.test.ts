import { expect, jest, test } from '@jest/globals';
import type { EventLog, Subscription } from '../../src/log/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLog } from '../../src/postgres/migrate.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import { startConsumer, userRecord, waitUntilDecided } from '../support/consumer-harness.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const LOG_SCHEMA = 'user_events_log';
jest.setTimeout(60_000);
const database = useTestDatabase();

test('a log that is away when SIGTERM comes is not waited for, however many commits were due', async () => {
  const { connectionString } = database();
  await migrateLog({ connectionString, schema: LOG_SCHEMA });
  const log = createPostgresEventLog({
    connectionString,
    schema: LOG_SCHEMA,
    topic: uniqueName('topic'),
    patience: 'short',
  });
  const never = new Promise<never>(() => undefined);
  let commits = 0;
  let isAway = false;
  const away = withMethods<EventLog>(log, {
    append: (records) => (isAway ? never : log.append(records)),
    subscribe: async (options) => {
      const subscription = await log.subscribe(options);
      return withMethods<Subscription>(subscription, {
        commit: (offsets, metadata) => {
          commits++;
          return isAway ? never : subscription.commit(offsets, metadata);
        },
      });
    },
  });
  await log.createTopic(1);
  await prepareUsers(database());
  const consumer = startConsumer(away, database(), { onFailure: 'rollback' });
  await log.append([userRecord('create', 'u0')]);
  await waitUntilDecided(log, database(), consumer);
  isAway = true;
  commits = 0;
  await log.append([userRecord('update', 'nobody', { name: 'N' })]);
  await waitFor(() => consumer.failed.length === 1, { describe: 'the event to fail' });
  await waitFor(() => commits > 0, { describe: 'a commit to be under way' });
  await log.append([userRecord('create', 'u1'), userRecord('create', 'u2')]);
  await waitUntilDecided(log, database(), consumer);
  const asked = performance.now();
  expect(await consumer.stop()).toMatchObject({ endedBy: 'signal', applied: 3, failed: 1 });
  expect(performance.now() - asked).toBeLessThan(10_000);
  // The timer goes on meanwhile, and sends no second one behind the one that is under way.
  expect(commits).toBe(1);
  await log.close();
});

/** The same object with other methods. */
function withMethods<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
