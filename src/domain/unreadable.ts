/** Why something in a record cannot be read: one line, without the user's data. Returned, not thrown. */
export class Unreadable {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}
