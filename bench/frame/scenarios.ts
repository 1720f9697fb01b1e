import type { Scenario } from './scenario.ts';

/** The benches by name, loaded when they are asked for. A new one is a file in bench/scenarios/ and a line here. */
export const SCENARIOS: ReadonlyMap<string, () => Promise<Scenario>> = new Map([
  ['rollback', async () => (await import('../scenarios/rollback.ts')).rollback],
  ['consume', async () => (await import('../scenarios/consume.ts')).consume],
  ['inspect', async () => (await import('../scenarios/inspect.ts')).inspect],
  ['wire', async () => (await import('../scenarios/wire.ts')).wire],
]);
