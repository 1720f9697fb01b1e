import { readFile } from 'node:fs/promises';

/** Clock ticks a second of /proc (sysconf _SC_CLK_TCK: 100 on every Linux port). */
const TICKS = 100;

/** What a process has taken so far. */
export interface Usage {
  readonly peakRssBytes: number;
  readonly cpuMs: number;
  /** How long its main thread was ready to run and other processes had the cores, ms: a measure of the neighbours. */
  readonly waitedMs: number;
}

/** Of one process, its ended children left out. Null where it has ended, or there is no /proc. */
export async function usageOf(pid: number): Promise<Usage | null> {
  try {
    const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    const { own } = await cpuOf(pid);
    // On the core, waiting for it (both ns), and how often (kernel, Documentation/scheduler/sched-stats).
    const [, waitedNs] = (await readFile(`/proc/${String(pid)}/schedstat`, 'utf8')).split(' ');
    // One that has ended and is not yet buried has no memory any more.
    return peak === undefined
      ? null
      : { peakRssBytes: Number(peak) * 1024, cpuMs: own, waitedMs: Number(waitedNs) / 1e6 };
  } catch {
    return null;
  }
}

/** CPU of a server that makes a process for each connection, ended ones included, ms. NaN where there is no /proc. */
export async function familyCpuMs(pid: number): Promise<number> {
  try {
    const { own, ended } = await cpuOf(pid);
    const children = await Promise.all((await childrenOf(pid)).map(familyCpuMs));
    // One that ends while they are counted is missed or counted twice: once in a bench.
    return own + ended + children.filter((ms) => !Number.isNaN(ms)).reduce((sum, ms) => sum + ms, 0);
  } catch {
    return Number.NaN;
  }
}

/** The processes that a process has started and that still run. */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const file = `/proc/${String(pid)}/task/${String(pid)}/children`;
  const children = await readFile(file, 'utf8').catch(() => '');
  return children
    .split(' ')
    .map(Number)
    .filter((child) => child > 0);
}

async function cpuOf(pid: number): Promise<{ own: number; ended: number }> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  // Fields 14 to 17 (utime, stime, cutime, cstime), counted behind the name, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
  return { own: ((user + system) * 1000) / TICKS, ended: ((endedUser + endedSystem) * 1000) / TICKS };
}
