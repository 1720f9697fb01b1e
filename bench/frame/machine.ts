import { cpus, loadavg, release, totalmem } from 'node:os';

/** What the figures were taken on. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly kafka: string | null;
  readonly postgres: string | null;
  /** Over the last minute, at the end: above the number of cores the figures are no good. */
  readonly load: number;
}

/** Servers that a bench has started, as they call themselves. */
export interface Versions {
  readonly kafka: string | null;
  readonly postgres: string | null;
}

export function describeMachine(versions: Versions): Machine {
  const all = cpus();
  return {
    date: new Date().toISOString(),
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    ...versions,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
