/** Ends the title of a block that was skipped because there is no broker; the reporter looks for it. */
export const NEEDS_KAFKA = '[needs Kafka]';
