import { UserEventsError } from '../errors/user-events-error.ts';
import { runAsAccount, type ServerAccount } from './embedded-command.ts';

/** In this order; both are there before us on common systems, and no account is made. */
const CANDIDATES = ['postgres', 'nobody'] as const;

/**
 * Under root the account that PostgreSQL is to run as, since it refuses root; null where the server can run as whoever
 * we are (any other account, and Windows, where pg_ctl drops the rights itself).
 * Throws EMBEDDED_UNAVAILABLE where root has no account to step down to.
 */
export async function serverAccount(): Promise<ServerAccount | null> {
  if (process.getuid?.() !== 0) return null;
  for (const name of CANDIDATES) {
    const uid = await idOf(name, '-u');
    const gid = await idOf(name, '-g');
    if (uid !== null && uid !== 0 && gid !== null) return { name, uid, gid };
  }
  throw new UserEventsError(
    'EMBEDDED_UNAVAILABLE',
    `PostgreSQL does not run as root, and neither ${CANDIDATES.join(' nor ')} is an account of this system`,
    { hint: 'Run as another account than root, or set KAFKA_BROKERS and DATABASE_URL to use your own.' },
  );
}

/** By `id`, not by /etc/passwd: accounts may come from a directory service. Null where it knows no such account. */
async function idOf(account: string, flag: '-u' | '-g'): Promise<number | null> {
  try {
    const { exitCode, output } = await runAsAccount('id', [flag, account], { account: null, cwd: '/' });
    return exitCode === 0 && /^\d+$/.test(output) ? Number(output) : null;
  } catch (error) {
    throw new UserEventsError('EMBEDDED_UNAVAILABLE', 'The command `id` cannot be run', { cause: error });
  }
}
