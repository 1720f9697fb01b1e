import { HEADER } from './envelope.ts';
import type { JsonObject, JsonValue } from './event.ts';
import type { LogRecord, RecordHeader } from './record.ts';
import { decodeUtf8 } from './utf8.ts';
import { canonicalUuid } from './uuid.ts';

/** The attributes of a CloudEvent that mean something here; the rest is tolerated and not read. */
export interface CloudAttributes {
  /** Null where id and source do not make an identity. */
  readonly id: string | null;
  readonly source: string | null;
  readonly type: string | null;
  /** What is wrong with them; null where nothing is, and then id and type are there. */
  readonly fault: string | null;
}

/** The headers of binary mode as they lie in the record; undefined where there is none, null where it has no value. */
interface CloudHeaders {
  specVersion: Buffer | null | undefined;
  id: Buffer | null | undefined;
  type: Buffer | null | undefined;
  source: Buffer | null | undefined;
  contentType: Buffer | null | undefined;
}

/** Of a name that repeats the last one counts, as in Java's `Headers.lastHeader`. */
export function findCloudHeaders(headers: readonly RecordHeader[]): CloudHeaders {
  const found: CloudHeaders = {
    specVersion: undefined,
    id: undefined,
    type: undefined,
    source: undefined,
    contentType: undefined,
  };
  for (const { key, value } of headers) {
    switch (key) {
      case HEADER.specVersion:
        found.specVersion = value;
        break;
      case HEADER.id:
        found.id = value;
        break;
      case HEADER.type:
        found.type = value;
        break;
      case HEADER.source:
        found.source = value;
        break;
      case 'content-type':
        found.contentType = value;
        break;
    }
  }
  return found;
}

/** True where one of the four required headers is there. Extensions alone do not make a CloudEvent. */
export function isBinaryMode(headers: CloudHeaders): boolean {
  return (
    headers.id !== undefined ||
    headers.type !== undefined ||
    headers.source !== undefined ||
    headers.specVersion !== undefined
  );
}

/** Whether the content type announces structured mode, and if so in a format that is read here (JSON). */
export function structuredMode(record: LogRecord, headers: CloudHeaders): 'no' | 'json' | 'other' {
  // A null value has no structure: it is a tombstone, whatever its headers say.
  if (headers.contentType === undefined || headers.contentType === null || record.value === null) return 'no';
  const [mediaType = ''] = headers.contentType.toString().toLowerCase().split(';');
  if (!mediaType.startsWith('application/cloudevents')) return 'no';
  return mediaType.trim() === 'application/cloudevents+json' ? 'json' : 'other';
}

/** The attributes that the headers of binary mode state. */
export function attributesOfHeaders(headers: CloudHeaders): CloudAttributes {
  return checkedAttributes(
    specVersions.textOf(headers.specVersion),
    textOf(headers.id),
    types.textOf(headers.type),
    sources.textOf(headers.source),
  );
}

/**
 * Of what most records of a producer have alike the decoder gives the same bytes again: the same object. Their text is made
 * once; that is a thirtieth of what the consumer spends on an event.
 */
class LastText {
  #bytes: Buffer | undefined;
  #text: string | false | undefined;

  textOf(bytes: Buffer | null | undefined): string | false | undefined {
    if (bytes === undefined || bytes === null) return undefined;
    if (bytes !== this.#bytes) {
      this.#text = textOf(bytes);
      this.#bytes = bytes;
    }
    return this.#text;
  }
}

const specVersions = new LastText();
const types = new LastText();
const sources = new LastText();

/** The same of the object of structured mode. */
export function attributesOfObject(event: JsonObject): CloudAttributes {
  return checkedAttributes(event['specversion'], event['id'], event['type'], event['source']);
}

/** False for bytes that are not UTF-8: whatever is not a string is refused below. */
function textOf(bytes: Buffer | null | undefined): string | false | undefined {
  return bytes === undefined || bytes === null ? undefined : (decodeUtf8(bytes) ?? false);
}

/**
 * Asks for what the meaning needs: id and type; a source unless the id is a UUID (else the identity rests on both);
 * version 1.x where one is stated.
 */
function checkedAttributes(
  specVersion: JsonValue | undefined,
  id: JsonValue | undefined,
  type: JsonValue | undefined,
  source: JsonValue | undefined,
): CloudAttributes {
  const fault =
    textFault('id', id) ??
    textFault('type', type) ??
    sourceFault(source, id) ??
    specVersionFault(specVersion);
  const hasIdentity = isText(id) && sourceFault(source, id) === null;
  return {
    id: hasIdentity ? id : null,
    source: hasIdentity && isText(source) ? source : null,
    type: isText(type) ? type : null,
    fault,
  };
}

function textFault(name: string, value: JsonValue | undefined): string | null {
  if (isText(value)) return null;
  return `the CloudEvent's ${name} ${value === undefined ? 'is missing' : 'is not a text'}`;
}

function sourceFault(source: JsonValue | undefined, id: JsonValue | undefined): string | null {
  if (source !== undefined) return textFault('source', source);
  if (typeof id === 'string' && canonicalUuid(id) !== null) return null;
  return "the CloudEvent's source is missing, and its id is not a UUID";
}

function specVersionFault(specVersion: JsonValue | undefined): string | null {
  if (specVersion === undefined) return null;
  const isKnown = typeof specVersion === 'string' && specVersion.startsWith('1.');
  return isKnown ? null : "the CloudEvent's specversion is not 1.0";
}

/** A text of at least one character without NUL, which PostgreSQL cannot hold. */
function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}
