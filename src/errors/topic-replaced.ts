import { UserEventsError } from './user-events-error.ts';

/** LOG_REPLACED for a topic that was deleted and made anew: known by its id, whatever lies in it. */
export function topicReplaced(topic: string): UserEventsError {
  return new UserEventsError('LOG_REPLACED', `${topic} was deleted and made anew: it is another topic`);
}
