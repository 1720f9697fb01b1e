import type { IHeaders } from 'kafkajs';
import type { RecordHeader } from '../../domain/record.ts';

/** Names that an object cannot keep in the order written (integers come first), or not at all. */
const NEEDS_LIST = /^(?:\d|__proto__$)/;

/**
 * Headers in the form that kafkajs's encoder takes: an object, or where that would lose something (a name twice, a
 * null value, names that objects reorder) a list in disguise. Order, repeated names and null values reach the wire.
 */
export function toKafkaHeaders(headers: readonly RecordHeader[]): IHeaders {
  const byName: IHeaders = {};
  for (const { key, value } of headers) {
    if (value === null || NEEDS_LIST.test(key) || Object.hasOwn(byName, key)) {
      return { headers: new HeaderList(headers) };
    }
    byName[key] = value;
  }
  return byName;
}

/**
 * The headers of a record that kafkajs has decoded. It gathers them by name, so that names which alternate (a, b, a)
 * come out in the order of their first value (a, a, b); values of one name keep their order.
 */
export function fromKafkaHeaders(
  decoded: Readonly<Record<string, unknown>> | undefined,
): readonly RecordHeader[] {
  if (decoded === undefined) return [];
  const headers: RecordHeader[] = [];
  for (const key of Object.keys(decoded)) {
    const values = decoded[key];
    if (Array.isArray(values)) {
      // A name that every object inherits (toString) comes with the inherited value in front.
      for (const value of values) if (isHeaderValue(value)) headers.push({ key, value });
    } else if (isHeaderValue(values)) {
      headers.push({ key, value: values });
    }
  }
  return headers;
}

function isHeaderValue(value: unknown): value is Buffer | null {
  return value === null || Buffer.isBuffer(value);
}

/**
 * kafkajs's encoder maps the values of a repeated name, given as an array, to headers of that name. This array
 * answers with whole headers, whatever the name.
 */
class HeaderList extends Array<Buffer> {
  readonly #headers: readonly RecordHeader[];

  constructor(headers: readonly RecordHeader[]) {
    super();
    this.#headers = headers;
  }

  // The encoder's only use of it; its callback would add one name to all.
  override map<U>(): U[];
  override map(): unknown[] {
    return this.#headers.map(({ key, value }) => (value === null ? new NullHeader(key) : { key, value }));
  }
}

/**
 * kafkajs measures a header's value before it asks whether there is one, and a null cannot be measured (TypeError):
 * the first look finds no bytes, the later ones find null.
 */
class NullHeader {
  readonly key: string;
  #isMeasured = false;

  constructor(key: string) {
    this.key = key;
  }

  get value(): Buffer | null {
    if (this.#isMeasured) return null;
    this.#isMeasured = true;
    return Buffer.alloc(0);
  }
}
