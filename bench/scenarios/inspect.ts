import type { Scenario } from '../frame/scenario.ts';
import { measureEventId } from '../inspect/event-id.ts';
import { measureNewest } from '../inspect/newest.ts';
import { measureScan, measureUser } from '../inspect/scan.ts';
import { measureStartUp } from '../inspect/start-up.ts';
import { measureVerify } from '../inspect/verify.ts';

/** What an operator asks first: how soon a command answers, how fast the log is read, how long the proof takes. */
export const inspect: Scenario = {
  events: 500_000,
  parts: [
    { name: 'start-up', measure: measureStartUp },
    { name: 'newest', measure: measureNewest },
    { name: 'scan', measure: measureScan },
    { name: 'user', measure: measureUser },
    { name: 'event-id', measure: measureEventId },
    { name: 'verify', measure: measureVerify },
  ],
};
