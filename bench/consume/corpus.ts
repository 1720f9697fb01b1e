import type { OutgoingCudEvent } from '../../src/domain/envelope.ts';
import type { CudOperation, JsonObject } from '../../src/domain/event.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import { uuidV7 } from '../../src/domain/uuid.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import { seededRandom } from '../frame/random.ts';

/** What a corpus is made of, besides the mix. */
export interface CorpusShape {
  readonly events: number;
  /** Every second event is an update of one user. */
  readonly hasHotUser?: boolean;
  /** This share of the events carries a name that the table's constraint refuses. */
  readonly refusedShare?: number;
  /** Bytes added to each value but a delete's. */
  readonly padding?: number;
}

/** What the constraint of the bench's users table refuses: see `service.ts`. */
export const REFUSED_NAME = 'refused';
/** The time of the first event; one follows each ms, as ids in time order. */
const BEGIN_MS = Date.UTC(2026, 0, 1);
const SEED = 20_260_101;
/** Of the creates this share makes a user again who was deleted. */
const AGAIN_SHARE = 0.125;
const SOURCE = '/bench';

/**
 * 40 % create, 50 % update with the changed fields alone, 10 % delete, all valid under the strict rules when executed in
 * order. Of 200,000 events 80,000 create and 20,000 delete, so that 60,000 users stand at the end: no fewer could.
 */
export function* corpus(shape: CorpusShape): Generator<NewRecord, void> {
  const random = seededRandom(SEED);
  const users = new Users(random);
  const padding = 'x'.repeat(shape.padding ?? 0);
  for (let n = 0; n < shape.events; n++) {
    const isHot = shape.hasHotUser === true && n % 2 === 1;
    const { operation, userId } = isHot ? users.hot(n) : users.next();
    const name = random() < (shape.refusedShare ?? 0) ? REFUSED_NAME : `Zoë Müller ${String(n)}`;
    yield writeEnvelope(
      outgoing(n, operation, userId, fieldsOf(operation, userId, name, padding, random), random),
      SOURCE,
    );
  }
}

function outgoing(
  n: number,
  operation: CudOperation,
  userId: string,
  fields: JsonObject,
  random: () => number,
): OutgoingCudEvent {
  const timestamp = BEGIN_MS + n;
  const noise = Uint8Array.from({ length: 10 }, () => Math.floor(random() * 256));
  return { kind: 'cud', eventId: uuidV7(timestamp, noise), userId, timestamp, operation, fields };
}

function fieldsOf(
  operation: CudOperation,
  userId: string,
  name: string,
  padding: string,
  random: () => number,
): JsonObject {
  if (operation === 'delete') return {};
  const more: JsonObject = padding === '' ? {} : { bio: padding };
  if (operation === 'create' || name === REFUSED_NAME) {
    return { name, email: `${userId}@example.com`, city: 'Zürich', ...more };
  }
  return random() < 0.5
    ? { name, ...more }
    : { email: `${userId}.${String(Math.floor(random() * 1e6))}@example.com`, ...more };
}

/** Who exists, so that each operation finds a user that it is valid for. */
class Users {
  readonly #random: () => number;
  readonly #standing: string[] = [];
  readonly #deleted: string[] = [];
  #made = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  next(): { operation: CudOperation; userId: string } {
    const draw = this.#random();
    if (draw < 0.4 || this.#standing.length === 0) {
      const again = this.#random() < AGAIN_SHARE ? this.#take(this.#deleted) : undefined;
      const userId = again ?? `user-${String(++this.#made).padStart(7, '0')}`;
      this.#standing.push(userId);
      return { operation: 'create', userId };
    }
    if (draw < 0.9) {
      const at = Math.floor(this.#random() * this.#standing.length);
      return { operation: 'update', userId: this.#standing[at] ?? '' };
    }
    const userId = this.#take(this.#standing) ?? '';
    this.#deleted.push(userId);
    return { operation: 'delete', userId };
  }

  hot(n: number): { operation: CudOperation; userId: string } {
    return { operation: n === 1 ? 'create' : 'update', userId: 'user-hot' };
  }

  /** Takes one out, at random; the last one fills its place. */
  #take(from: string[]): string | undefined {
    const last = from.pop();
    const at = Math.floor(this.#random() * (from.length + 1));
    if (last === undefined || at === from.length) return last;
    const taken = from[at];
    from[at] = last;
    return taken;
  }
}
