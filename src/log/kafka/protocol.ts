/** A request of kafkajs 2.2.4 and how its answer is read: what its connections send. */
export interface Protocol {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly encode: () => Promise<EncodedBody>;
  };
  readonly response: {
    /** The answer's body, behind the correlation id. */
    readonly decode: (body: Buffer) => Promise<unknown>;
    readonly parse: (decoded: unknown) => Promise<unknown>;
  };
}

/** What kafkajs takes from its own Encoder when it puts a request's head before its body. */
export interface EncodedBody {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** What the codec of one client has done so far. */
export interface CodecUse {
  /** Requests whose records were encoded here, not by kafkajs. */
  encoded: number;
  /** Answers whose records were decoded here. */
  decoded: number;
}
