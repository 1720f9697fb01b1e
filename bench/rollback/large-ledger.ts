import { SCHEMA, type BenchService } from '../consume/service.ts';
import type { Stage } from '../frame/stage.ts';

/** Rows of a ledger that has run for a while: a tenth as many users. */
export const LARGE_LEDGER = 5_000_000;
const EVENTS_OF_A_USER = 10;

/** Users with a history of a create and updates, all applied, in the partitions behind that of the corpus. */
export async function fillLedger(stage: Stage, { pool }: BenchService): Promise<void> {
  stage.say(`making ${LARGE_LEDGER.toLocaleString('en-US')} ledger rows`);
  await pool.query(`set synchronous_commit = off`);
  await pool.query(
    `insert into public.users (user_id, name, email)
     select 'p' || n, 'Zoë ' || (n * ${String(EVENTS_OF_A_USER)} + ${String(EVENTS_OF_A_USER - 1)}), 'p' || n || '@example.com'
     from generate_series(0, ${String(LARGE_LEDGER / EVENTS_OF_A_USER - 1)}) n`,
  );
  await pool.query(
    `insert into ${SCHEMA}.ledger (event_id, generation, partition, "offset", user_id, operation, status, published_at, data, before_exists, before)
     select gen_random_uuid(), 0, 1, n, 'p' || n / ${String(EVENTS_OF_A_USER)}, case n % ${String(EVENTS_OF_A_USER)} when 0 then 'create' else 'update' end,
       'applied', now(), json_build_object('userId', 'p' || n / ${String(EVENTS_OF_A_USER)}, 'name', 'Zoë ' || n,
         'email', 'p' || n / ${String(EVENTS_OF_A_USER)} || '@example.com'), n % ${String(EVENTS_OF_A_USER)} > 0,
       case when n % ${String(EVENTS_OF_A_USER)} > 0 then json_build_object('user_id', 'p' || n / ${String(EVENTS_OF_A_USER)},
         'name', 'Zoë ' || n - 1, 'email', 'p' || n / ${String(EVENTS_OF_A_USER)} || '@example.com', 'attributes', json_build_object()) end
     from generate_series(0, ${String(LARGE_LEDGER - 1)}) n`,
  );
  await pool.query(`analyze ${SCHEMA}.ledger; analyze public.users; checkpoint`);
}
