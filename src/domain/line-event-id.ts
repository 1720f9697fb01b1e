/**
 * The id of an event that comes from line `line` (from 1) of run `runId` and states none: a UUIDv7 of the run's time,
 * the line's number (32 bits, so that ids are in the file's order) and 42 of the run's random bits. The same run and
 * line have the same id for ever: a file that is sent again with its run id does nothing twice. `runId` is a canonical
 * UUIDv7.
 */
export function lineEventId(runId: string, line: number): string {
  const number = line.toString(16).padStart(8, '0');
  return (
    `${runId.slice(0, 13)}-7${number.slice(0, 3)}-` +
    `${runId.slice(19, 20)}${number.slice(3, 6)}-${number.slice(6, 8)}${runId.slice(26)}`
  );
}
