import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './settings.ts';

/** What the machine says, where no setting does. */
export interface Machine {
  readonly hostname: string;
  readonly username: string;
  /** Default folder of the embedded engine. */
  readonly dataDir: string;
}

/** Asks the machine. Connects to nothing. */
export function describeMachine(env: Environment): Machine {
  return { hostname: hostname(), username: nameOfUser(env), dataDir: defaultDataDir(env) };
}

/** A container may run as a number that no account has: then the environment's name, or the number. */
function nameOfUser(env: Environment): string {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] || String(process.getuid?.() ?? 'unknown');
  }
}

/** Where the platform keeps an application's data. */
function defaultDataDir(env: Environment): string {
  switch (process.platform) {
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support', 'user-events');
    case 'win32':
      return join(env['LOCALAPPDATA'] || join(homedir(), 'AppData', 'Local'), 'user-events');
    default:
      // PostgreSQL does not run as root but as a system account, which may not enter root's home.
      if (process.getuid?.() === 0 && !env['XDG_DATA_HOME']) return '/var/lib/user-events';
      return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'user-events');
  }
}
