import type { Part, Scenario } from '../frame/scenario.ts';
import { measureAllFailed, type AllFailedPart } from '../rollback/all-failed.ts';
import { measurePlanOne } from '../rollback/plan-one.ts';

const ALL_FAILED: readonly AllFailedPart[] = [
  { name: 'all-failed', parked: 0, bar: true },
  { name: 'all-failed-parked', parked: 1, bar: false },
];

/** A bulk rollback beside the consumer of the same run, and the plan of one event on a large ledger. */
export const rollback: Scenario = {
  parts: [
    ...ALL_FAILED.map((part): Part => ({
      name: part.name,
      measure: (stage, asked) => measureAllFailed(stage, asked, part),
    })),
    { name: 'plan-one', measure: (stage, asked) => measurePlanOne(stage, asked, 'plan-one') },
  ],
};
