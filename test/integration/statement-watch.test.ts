import { afterEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { watchConnection, type StatementState } from '../../src/postgres/statement-watch.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();
const clients: pg.Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
});

const TIMES = { lookAfterMs: 50, lookEveryMs: 50, busyAfterMs: 10_000, cutAfterMs: 400, askWithinMs: 2_000 };

/** A watched connection; `isDeaf` says whether a look finds nobody. */
async function connect(
  isDeaf: () => boolean = () => false,
): Promise<{ client: pg.Client; stop: AbortController; states: StatementState[]; looks: () => number }> {
  const url = new URL(database().connectionString);
  const client = new pg.Client({ connectionString: url.href });
  clients.push(client);
  await client.connect();
  const stop = new AbortController();
  const states: StatementState[] = [];
  let looks = 0;
  const address = {
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    host: url.hostname,
    database: url.pathname.slice(1),
    // Read anew by every look. Nobody listens on port 1.
    get port() {
      looks++;
      return isDeaf() ? 1 : Number(url.port);
    },
  };
  const onState = (state: StatementState): void => {
    states.push(state);
  };
  await watchConnection(client, address, { signal: stop.signal, onState, times: TIMES });
  return { client, stop, states, looks: () => looks };
}

describe('a watched statement', () => {
  test('is left alone when one look of many finds nobody', async () => {
    let from = Infinity;
    let deaf = 0;
    const { client, states, looks } = await connect(() => performance.now() > from && deaf++ === 0);
    from = performance.now() + 600;
    await expect(client.query('select pg_sleep(1.2)')).resolves.toMatchObject({ rowCount: 1 });
    expect(deaf).toBeGreaterThan(1);
    expect(looks()).toBeGreaterThan(3);
    expect(states).toContainEqual(expect.objectContaining({ kind: 'silent' }));
  });

  test('is cut when nobody answers for long', async () => {
    const { client } = await connect(() => true);
    await expect(client.query('select pg_sleep(30)')).rejects.toThrow(/terminated/);
  });

  test('is left alone where the server does not tell what sessions do', async () => {
    const { client, looks } = await connect();
    await client.query('set track_activities = off');
    await expect(client.query('select pg_sleep(1)')).resolves.toMatchObject({ rowCount: 1 });
    expect(looks()).toBeGreaterThan(3);
  });

  test('leaves nothing behind in the signal that lives as long as the process', async () => {
    const { client, stop } = await connect();
    for (let i = 0; i < 50; i++) await client.query('select 1');
    // What a signal knows of others made of it lies in sets of Node's own (of another realm here, so asked for their size).
    const sizes = Object.getOwnPropertySymbols(stop.signal).map((symbol) => {
      const kept: unknown = Reflect.get(stop.signal, symbol);
      return typeof kept === 'object' && kept !== null && 'size' in kept ? Number(kept.size) : 0;
    });
    expect(Math.max(0, ...sizes)).toBeLessThan(3);
  });
});
