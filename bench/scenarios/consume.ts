import type { Part, Scenario } from '../frame/scenario.ts';
import { measureMemory } from '../consume/memory.ts';
import { measureIdle, measureStart } from '../consume/reaction.ts';
import { measureThroughput, type ThroughputPart } from '../consume/throughput.ts';

/** With kafkajs's own decoder 0.35 and 0.55 were asked for; with the codec of our own it is more. */
const SHARED_BAR = 0.45;
const PINNED_BAR = 0.7;
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
  parts: [
    ...THROUGHPUT.map((part): Part => ({
      name: part.name,
      measure: (stage, asked) => measureThroughput(stage, asked, part),
    })),
    { name: 'start', measure: measureStart },
    { name: 'idle', measure: measureIdle },
    { name: 'memory', measure: measureMemory },
  ],
};
