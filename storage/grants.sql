-- What each program may do in the database, and nothing else. `chatctl migrate` applies it behind the migrations wherever the three
-- roles exist (`chatctl roles` makes them): first everything is taken away, then this is given, in one transaction.
--
-- A right to UPDATE names its columns, and so does one to INSERT where the rest of the row is somebody else's business. What is not
-- here is not allowed: a new table, function or statement of a program needs its line. SECURITY.md says why, in words; the suite
-- Rights of tests/storage compares this with its own list of who may do what.

-- Everything in this schema that belongs to whoever owns our tables.
DO $$
DECLARE
  roles  text := 'PUBLIC, chat_plugin, chat_bridge, chat_admin';
  schema oid := (SELECT relnamespace FROM pg_class WHERE oid = 'schema_migrations'::regclass);
  owner  oid := (SELECT relowner FROM pg_class WHERE oid = 'schema_migrations'::regclass);
  thing  text;
BEGIN
  FOR thing IN
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || oid::regclass FROM pg_class
      WHERE relnamespace = schema AND relowner = owner AND relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL SELECT 'FUNCTION ' || oid::regprocedure FROM pg_proc WHERE pronamespace = schema AND proowner = owner
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %s', thing, roles);
  END LOOP;
  -- The schema itself may be another's: then its owner decides.
  IF (SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE oid = schema) THEN
    EXECUTE format('REVOKE ALL ON SCHEMA %s FROM %s', schema::regnamespace, roles);
    EXECUTE format('GRANT USAGE ON SCHEMA %s TO chat_plugin, chat_bridge, chat_admin', schema::regnamespace);
  END IF;
END $$;

GRANT SELECT ON schema_migrations TO chat_plugin, chat_bridge, chat_admin;
GRANT EXECUTE ON FUNCTION chat_now(), chat_tell_activity(text[]) TO chat_plugin, chat_bridge, chat_admin;

-- ---- chat_plugin: stores what was sent and how far devices have come, and reads it back. It changes no message that is stored, and
-- sees no profile, draft or answer.
GRANT EXECUTE ON FUNCTION chat_make_month(bigint), chat_messages_above(bigint[], bigint[], integer, bigint) TO chat_plugin;
GRANT SELECT (name), INSERT (name, created_at) ON users TO chat_plugin;
GRANT SELECT, INSERT (name, kind, created_at, changed_at, seq_journal, seq_losses),
  UPDATE (last_seq, last_time, seq_journal, seq_losses, jumped_to, member_count) ON conversations TO chat_plugin;
GRANT SELECT (conv_id, user_name, role, join_seq, join_rev, read_seq, last_sent_seq, read_at),
  INSERT (conv_id, user_name, join_seq, join_rev, joined_at), UPDATE (last_sent_seq, read_seq, read_at) ON members TO chat_plugin;
GRANT SELECT, INSERT (conv_id, seq, server_time, reply_to, ttl_s, mid, type, sender, id, mentions, payload) ON messages TO chat_plugin;
GRANT SELECT, INSERT (user_name, device, first_seen, last_seen), UPDATE (first_seen, last_seen), DELETE ON devices TO chat_plugin;
GRANT SELECT, INSERT, UPDATE (delivered_seq, delivered_rev, at), DELETE ON device_cursors TO chat_plugin;
GRANT SELECT, INSERT, UPDATE (delivered, read, at) ON receipts_due TO chat_plugin;
GRANT SELECT (user_name, other, state) ON contacts TO chat_plugin;
GRANT SELECT ON events TO chat_plugin;
GRANT SELECT (journal, position), INSERT ON commands TO chat_plugin;
GRANT INSERT ON voids TO chat_plugin;
GRANT SELECT, INSERT, UPDATE (position, committed_at) ON journals TO chat_plugin;

-- ---- chat_bridge: applies commands and answers requests. It gives no number, adds no message, and moves no cursor and no journal.
-- UPDATE of an identity column allows nothing, but whoever locks a row (FOR UPDATE) must have the right to change some column.
GRANT EXECUTE ON FUNCTION chat_all_standings(text, bigint), chat_expired(bigint, bigint, bigint), chat_floor(members),
  chat_last_seen(text, bigint, bigint, bigint, bigint), chat_make_words_month(bigint), chat_may_see(text, text),
  chat_mentions(text, bigint, bigint, bigint), chat_messages_above(bigint[], bigint[], integer, bigint),
  chat_messages_seen(text, bigint[], bigint[], bigint[], boolean, integer, bigint, bigint),
  chat_search_month(text, boolean, text, tsquery, bigint, bigint, bigint, bigint, integer),
  chat_search_walk(text, tsquery, bigint, bigint, bigint, bigint, integer, integer), chat_share_conversation(text, text),
  chat_standings(text, bigint), chat_unread(members, bigint, bigint) TO chat_bridge;
GRANT SELECT, INSERT (name, created_at), UPDATE (display_name, avatar, about, last_seen) ON users TO chat_bridge;
GRANT SELECT, INSERT (name, kind, title, avatar, announcement, last_rev, created_at, changed_at),
  UPDATE (title, avatar, announcement, last_rev, changed_at, member_count) ON conversations TO chat_bridge;
GRANT SELECT, INSERT (conv_id, user_name, role, join_seq, join_rev, joined_at), UPDATE (role, deleted_to, muted, pinned_at, draft),
  DELETE ON members TO chat_bridge;
GRANT SELECT, UPDATE (payload, mentions, ttl_s, recalled_at, recalled_rev, edited_at) ON messages TO chat_bridge;
GRANT SELECT, INSERT (user_name, device, replay, replay_limit, ack), UPDATE (last_seen, replay, replay_limit, ack), DELETE
  ON devices TO chat_bridge;
GRANT SELECT, DELETE ON device_cursors TO chat_bridge;
GRANT SELECT, UPDATE (delivered_from, read_from), DELETE ON receipts_due TO chat_bridge;
GRANT SELECT, INSERT, UPDATE (state, at), DELETE ON contacts TO chat_bridge;
GRANT SELECT, INSERT ON events TO chat_bridge;
GRANT SELECT, UPDATE (id), DELETE ON commands TO chat_bridge;
GRANT SELECT, INSERT, UPDATE (void_at) ON voids TO chat_bridge;
GRANT INSERT ON recalled_messages TO chat_bridge;
GRANT SELECT, INSERT, DELETE ON reactions, hidden_messages, outgoing, presence_sessions TO chat_bridge;
GRANT SELECT, INSERT, UPDATE (at), DELETE ON presence_watches TO chat_bridge;
GRANT SELECT, UPDATE (at) ON presence_heard TO chat_bridge;
GRANT SELECT, INSERT, UPDATE (answer), DELETE ON request_answers TO chat_bridge;
GRANT SELECT, INSERT, DELETE ON message_words TO chat_bridge;
GRANT SELECT, INSERT, UPDATE (seq) ON search_progress TO chat_bridge;
-- The months that are there; chat_make_words_month() sees to the next ones.
DO $$
DECLARE
  part regclass;
BEGIN
  FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'message_words'::regclass LOOP
    EXECUTE format('GRANT SELECT ON %s TO chat_bridge', part);
  END LOOP;
END $$;

-- ---- chat_admin: chatctl. It reads no message and no profile.
GRANT SELECT (name, created_at), INSERT (name, created_at) ON users TO chat_admin;
GRANT SELECT, INSERT (name, kind, title, avatar, announcement, last_rev, created_at, changed_at),
  UPDATE (last_rev, changed_at, member_count) ON conversations TO chat_admin;
GRANT SELECT (conv_id, user_name, role, join_seq, join_rev, read_seq),
  INSERT (conv_id, user_name, role, join_seq, join_rev, joined_at), UPDATE (role), DELETE ON members TO chat_admin;
GRANT SELECT, INSERT (user_name, device, replay, replay_limit, ack), UPDATE (replay, replay_limit, ack) ON devices TO chat_admin;
GRANT SELECT (user_name, other, state) ON contacts TO chat_admin;
GRANT INSERT ON events TO chat_admin;
GRANT SELECT (id) ON commands TO chat_admin;
GRANT SELECT ON journals TO chat_admin;
