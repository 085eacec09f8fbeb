-- Users, conversations and their members, messages by month, cursors, events, commands, and how far each journal is stored.
--
-- Times are milliseconds since the Unix epoch, UTC. Names sort by bytes (COLLATE "C"), as they do in the program.
-- Rows that every commit touches leave room in their pages (fillfactor), and no index holds a column that a commit changes: so
-- those updates stay within the page (HOT) and leave nothing behind in any index.

CREATE TABLE users (
  name       text COLLATE "C" PRIMARY KEY,
  created_at bigint NOT NULL
);

CREATE TABLE conversations (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name         text COLLATE "C" NOT NULL UNIQUE,
  kind         smallint NOT NULL CHECK (kind IN (0, 1)),  -- 0 direct, 1 group
  title        text NOT NULL DEFAULT '',
  avatar       text NOT NULL DEFAULT '',
  announcement boolean NOT NULL DEFAULT false,
  last_seq     bigint NOT NULL DEFAULT 0,
  last_time    bigint NOT NULL DEFAULT 0,
  last_rev     bigint NOT NULL DEFAULT 0,
  seq_journal  uuid,                       -- the journal under which numbers are given now; NULL: none was given yet
  seq_losses   bigint NOT NULL DEFAULT 0,  -- ... and behind how many of its losses
  jumped_to    bigint NOT NULL DEFAULT 0,  -- where the latest of these made last_seq jump to; 0: none did
  created_at   bigint NOT NULL,
  changed_at   bigint NOT NULL
) WITH (fillfactor = 60);

CREATE TABLE members (
  conv_id       bigint NOT NULL REFERENCES conversations (id),
  user_name     text COLLATE "C" NOT NULL REFERENCES users (name),
  role          smallint NOT NULL DEFAULT 0 CHECK (role BETWEEN 0 AND 2),  -- 0 member, 1 admin, 2 owner
  join_seq      bigint NOT NULL,            -- the first message that this member may see
  join_rev      bigint NOT NULL,            -- the first event that this member may see
  read_seq      bigint NOT NULL DEFAULT 0,
  last_sent_seq bigint NOT NULL DEFAULT 0,
  deleted_to    bigint NOT NULL DEFAULT 0,
  joined_at     bigint NOT NULL,
  PRIMARY KEY (conv_id, user_name)
) WITH (fillfactor = 70);
CREATE INDEX members_of_user ON members (user_name);

-- One row a message, never one a receiver. The partitions are UTC months, made by chat_make_month().
CREATE TABLE messages (
  conv_id     bigint NOT NULL,
  seq         bigint NOT NULL,
  server_time bigint NOT NULL,
  reply_to    bigint,
  ttl_s       bigint,              -- seconds; it expires at server_time + 1000 * ttl_s
  mid         uuid NOT NULL,
  type        smallint NOT NULL,
  sender      text COLLATE "C" NOT NULL,
  id          text COLLATE "C",    -- the sender's own
  mentions    text[],
  payload     text NOT NULL,       -- text, not jsonb: what is delivered later must be the same bytes
  PRIMARY KEY (conv_id, seq, server_time)
) PARTITION BY RANGE (server_time);
CREATE INDEX messages_recent_ids ON messages (sender, server_time) WHERE id IS NOT NULL;

CREATE TABLE devices (
  user_name    text COLLATE "C" NOT NULL REFERENCES users (name),
  device       text COLLATE "C" NOT NULL,
  first_seen   bigint NOT NULL DEFAULT 0,  -- 0: set up beforehand, never opened
  last_seen    bigint NOT NULL DEFAULT 0,
  replay       smallint CHECK (replay BETWEEN 0 AND 1),  -- 0 full, 1 newest; NULL here and below: the server-wide default
  replay_limit integer CHECK (replay_limit > 0),
  ack          smallint CHECK (ack BETWEEN 0 AND 1),     -- 0 client, 1 auto
  PRIMARY KEY (user_name, device)
) WITH (fillfactor = 80);

-- No row: the device has nothing of what its user may see. No foreign keys: each row comes from a join with members.
CREATE TABLE device_cursors (
  user_name     text COLLATE "C" NOT NULL,
  device        text COLLATE "C" NOT NULL,
  conv_id       bigint NOT NULL,
  delivered_seq bigint NOT NULL,
  delivered_rev bigint NOT NULL,
  at            bigint NOT NULL,
  PRIMARY KEY (user_name, device, conv_id)
) WITH (fillfactor = 60);

CREATE TABLE events (
  conv_id     bigint NOT NULL REFERENCES conversations (id),
  rev         bigint NOT NULL,
  server_time bigint NOT NULL,
  payload     text NOT NULL,
  PRIMARY KEY (conv_id, rev)
);

-- Recalls, edits, reactions on their way to the bridge, which deletes a row in the transaction that applies it.
CREATE TABLE commands (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  journal     uuid NOT NULL,
  position    bigint NOT NULL,
  conv_id     bigint NOT NULL,
  operation   text NOT NULL,
  user_name   text COLLATE "C" NOT NULL,
  device      text COLLATE "C" NOT NULL,
  server_time bigint NOT NULL,
  payload     text NOT NULL,
  UNIQUE (journal, position)
);

CREATE TABLE journals (
  id           uuid PRIMARY KEY,
  position     bigint NOT NULL,
  committed_at bigint NOT NULL
) WITH (fillfactor = 10);

CREATE FUNCTION chat_now() RETURNS bigint LANGUAGE sql VOLATILE AS
$$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- Makes the partition that holds `at_ms` where it is missing. Safe to call at once from several sessions, and light on the
-- others: attaching a table lets readers and writers of the parent go on, creating one as a partition would not. It looks into
-- pg_class itself because to_regclass() may still remember, behind the lock, that the table was not there.
CREATE FUNCTION chat_make_month(at_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  month    timestamp := date_trunc('month', to_timestamp(at_ms / 1000.0) AT TIME ZONE 'UTC');
  part     text := 'messages_' || to_char(month, 'YYYY_MM');
  low      bigint := extract(epoch FROM month) * 1000;
  high     bigint := extract(epoch FROM month + interval '1 month') * 1000;
  attached boolean;
BEGIN
  FOR attempt IN 1 .. 2 LOOP
    SELECT relispartition INTO attached FROM pg_class
      WHERE relname = part AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'messages'::regclass);
    EXIT WHEN FOUND OR attempt = 2;
    PERFORM pg_advisory_xact_lock(hashtext('mosquitto-chat'), hashtext(part));
  END LOOP;
  IF attached IS NULL THEN
    EXECUTE format('CREATE TABLE %I (LIKE messages INCLUDING ALL)', part);
    EXECUTE format('ALTER TABLE messages ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', part, low, high);
  ELSIF NOT attached THEN
    RAISE EXCEPTION 'the table % is there, but it was detached from messages', part;
  END IF;
  RETURN part;
END $$;

-- A page of messages: the first want's in order of seq, then the second's … up to max_rows, and not past the row that reaches
-- max_bytes of payload.
--
-- One statement for all wants: to start one costs as much as there are months, to go on to the next want costs a look into each
-- month's index. The wants come out of unnest() in their order, so that nothing is sorted but a want's own rows, and the page's
-- end ends the work. (No other plan is ever better, also not for a month that was not analysed yet: hence the settings.)
CREATE FUNCTION chat_messages_above(convs bigint[], aboves bigint[], max_rows integer, max_bytes bigint)
RETURNS TABLE (o_conv_id bigint, o_conv text, o_seq bigint, o_server_time bigint, o_reply_to bigint, o_ttl_s bigint, o_mid uuid,
               o_type smallint, o_sender text, o_id text, o_mentions text[], o_payload text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  bytes_left bigint := max_bytes;
BEGIN
  FOR o_conv_id, o_conv, o_seq, o_server_time, o_reply_to, o_ttl_s, o_mid, o_type, o_sender, o_id, o_mentions, o_payload IN
    SELECT m.conv_id, c.name, m.seq, m.server_time, m.reply_to, m.ttl_s, m.mid, m.type, m.sender, m.id, m.mentions, m.payload
    FROM unnest(convs, aboves) WITH ORDINALITY AS w (conv_id, above, n)
    JOIN conversations c ON c.id = w.conv_id
    CROSS JOIN LATERAL (SELECT * FROM messages WHERE messages.conv_id = w.conv_id AND messages.seq > w.above
                        ORDER BY messages.seq LIMIT max_rows) m
    ORDER BY w.n, m.seq LIMIT max_rows
  LOOP
    RETURN NEXT;
    bytes_left := bytes_left - octet_length(o_payload);
    EXIT WHEN bytes_left <= 0;
  END LOOP;
END $$;

-- Channel chat_changed tells brokers what to load again, whoever changed it. A commit of messages changes none of these columns.
CREATE FUNCTION chat_tell_conversation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('chat_changed', json_build_object('kind', 'conversation', 'name', NEW.name)::text);
  RETURN NULL;
END $$;

CREATE FUNCTION chat_tell_member() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN
    changed := OLD.conv_id;
  ELSE
    changed := NEW.conv_id;
  END IF;
  PERFORM pg_notify('chat_changed', json_build_object('kind', 'conversation', 'name', c.name)::text)
    FROM conversations c WHERE c.id = changed;
  RETURN NULL;
END $$;

CREATE FUNCTION chat_tell_device() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('chat_changed', json_build_object('kind', 'device', 'name', NEW.user_name, 'device', NEW.device)::text);
  RETURN NULL;
END $$;

CREATE TRIGGER tell_insert AFTER INSERT ON conversations FOR EACH ROW EXECUTE FUNCTION chat_tell_conversation();
CREATE TRIGGER tell_update AFTER UPDATE OF name, kind, title, announcement ON conversations FOR EACH ROW
  WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION chat_tell_conversation();

CREATE TRIGGER tell_change AFTER INSERT OR DELETE OR UPDATE OF role, join_seq, join_rev ON members FOR EACH ROW
  EXECUTE FUNCTION chat_tell_member();

CREATE TRIGGER tell_insert AFTER INSERT ON devices FOR EACH ROW
  WHEN (NEW.replay IS NOT NULL OR NEW.replay_limit IS NOT NULL OR NEW.ack IS NOT NULL) EXECUTE FUNCTION chat_tell_device();
CREATE TRIGGER tell_update AFTER UPDATE OF replay, replay_limit, ack ON devices FOR EACH ROW
  WHEN ((OLD.replay, OLD.replay_limit, OLD.ack) IS DISTINCT FROM (NEW.replay, NEW.replay_limit, NEW.ack))
  EXECUTE FUNCTION chat_tell_device();
