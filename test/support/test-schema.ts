/** The schema of the ledger in test databases: the default one. */
export const TEST_SCHEMA = 'user_events';
