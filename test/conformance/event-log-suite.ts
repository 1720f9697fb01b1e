import { describe } from '@jest/globals';
import { describeAppend } from './append.ts';
import type { EventLogFactory } from './harness.ts';
import { describeMembers } from './members.ts';
import { describeOffsetsAtTime } from './offsets-at-time.ts';
import { describeOwners } from './owners.ts';
import { describePositions } from './positions.ts';
import { describeRead } from './read.ts';
import { describeReconnect } from './reconnect.ts';
import { describeSubscribe } from './subscribe.ts';
import { describeTopic } from './topic.ts';
import { describeWatermarks } from './watermarks.ts';

/** What every adapter of the EventLog port has to do (src/log/event-log.ts), one file a subject. */
export function eventLogConformance(name: string, factory: EventLogFactory): void {
  describe(name, () => {
    describeTopic(factory);
    describeAppend(factory);
    describeRead(factory);
    describeWatermarks(factory);
    describeOffsetsAtTime(factory);
    describeSubscribe(factory);
    describePositions(factory);
    describeOwners(factory);
    describeMembers(factory);
    describeReconnect(factory);
  });
}
