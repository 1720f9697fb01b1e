import type { EmbeddedServer, EmbeddedStatus } from '../postgres/embedded-server.ts';

/** The embedded PostgreSQL, without its secrets. */
export interface Engine {
  readonly start: () => Promise<Pick<EmbeddedServer, 'port' | 'dataDir' | 'started'>>;
  readonly stop: () => Promise<'stopped' | 'not running'>;
  readonly status: () => Promise<Pick<EmbeddedStatus, 'state' | 'port' | 'dataDir'>>;
}
