-- What tells a topic that was deleted and made anew under its name, however soon, and however much lies in it.
-- Up Migration

-- Null: the log tells none (Kafka before 2.8), or this schema is from before and has not had an assignment since.
alter table binding add column topic_id text;
