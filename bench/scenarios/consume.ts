import type { Scenario } from '../frame/scenario.ts';
import { measureThroughput, type ThroughputPart } from '../consume/throughput.ts';

const SHARED_BAR = 0.35;
const PINNED_BAR = 0.55;
/** 1 % refused: at least a third of what is asked for without. */
const REFUSED_BAR = Math.floor((SHARED_BAR / 3) * 1000) / 1000;

const THROUGHPUT: readonly ThroughputPart[] = [
  { name: '4-partitions', partitions: 4, shape: {}, bar: SHARED_BAR, isPinned: false },
  { name: 'pinned', partitions: 4, shape: {}, bar: PINNED_BAR, isPinned: true },
  { name: 'refused', partitions: 4, shape: { refusedShare: 0.01 }, bar: REFUSED_BAR, isPinned: false },
  { name: '1-partition', partitions: 1, shape: {}, bar: null, isPinned: false },
  { name: '8-partitions', partitions: 8, shape: {}, bar: null, isPinned: false },
  { name: 'hot-user', partitions: 4, shape: { hasHotUser: true }, bar: null, isPinned: false },
  { name: '1-kib-values', partitions: 4, shape: { padding: 900 }, bar: null, isPinned: false },
];

/** The consumer against what PostgreSQL itself can do with the same writes . */
export const consume: Scenario = {
  parts: THROUGHPUT.map((part) => ({
    name: part.name,
    measure: (stage, asked) => measureThroughput(stage, asked, part),
  })),
};
