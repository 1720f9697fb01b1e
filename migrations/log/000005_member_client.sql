-- Who a member is, for people: what its program calls itself, and where it connects from.
-- Up Migration

-- Null: a member that joined before this, or (host) over a local socket.
alter table group_member add column client_id text, add column host text;
-- Not together with the columns: members that are there would get the name and the address of whoever migrates.
alter table group_member
  alter column client_id set default nullif(current_setting('application_name'), ''),
  alter column host set default host(inet_client_addr());
