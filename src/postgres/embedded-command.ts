import { spawn } from 'node:child_process';

/** The operating system's account that the embedded server runs as. */
export interface ServerAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface CommandResult {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  /** What it printed, stdout and stderr together, at most the last 8 KiB. */
  readonly output: string;
}

interface CommandOptions {
  readonly account: ServerAccount | null;
  /** Entered before the rights are dropped. PostgreSQL's programs want to be able to come back to it. */
  readonly cwd: string;
  /** It leaves a server behind, which keeps its pipes: its exit is the end, and what it printed may be cut short. */
  readonly leavesServer?: boolean;
}

const KEPT_CHARACTERS = 8192;

/**
 * Runs a program as the server's account and waits until it has ended and its output is read: on a busy machine the exit
 * is told before the last of the output has come. Rejects with the error of `spawn` (EACCES: out of the account's reach).
 */
export function runAsAccount(
  program: string,
  args: readonly string[],
  { account, cwd, leavesServer = false }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      ...identityOf(account),
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-KEPT_CHARACTERS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    if (!leavesServer) {
      child.once('close', (exitCode) => {
        resolve({ exitCode, output: output.trim() });
      });
      return;
    }
    child.once('exit', (exitCode) => {
      // What is in the pipes already is read in this turn of the loop.
      setImmediate(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ exitCode, output: output.trim() });
      });
    });
  });
}

/** Starts a program that goes on when this process ends, and whose end nobody waits for. */
export function runDetached(
  program: string,
  args: readonly string[],
  { account, cwd }: CommandOptions,
): void {
  const child = spawn(program, args, {
    cwd,
    env: cleanEnvironment(),
    stdio: 'ignore',
    detached: true,
    windowsHide: true,
    ...identityOf(account),
  });
  child.once('error', () => undefined);
  child.unref();
}

function identityOf(account: ServerAccount | null): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

/** Without libpq's and PostgreSQL's own settings, which are about another server; messages in English. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:PG|LC_|LANG)/i.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
