import type { Scenario } from '../frame/scenario.ts';
import { measurePublish } from '../wire/publish.ts';
import { measureScan } from '../wire/scan.ts';

/** What goes over the wire to and from Kafka, against the tools that others use: Java's own and kcat. */
export const wire: Scenario = {
  parts: [
    { name: 'publish', measure: measurePublish },
    { name: 'scan', measure: measureScan },
  ],
};
