-- What the bridge keeps: recalls, edits and reactions, what somebody deleted for themselves alone, how somebody wants to be seen
-- and to see a conversation, what it has answered, and what it still has to publish.

-- A recalled message keeps its row, so that seq has no hole; its payload is the tombstone. recalled_rev is the event that told of
-- it, for who recalls it once more.
ALTER TABLE messages ADD COLUMN recalled_at bigint, ADD COLUMN recalled_rev bigint, ADD COLUMN edited_at bigint;

-- Numbers of a conversation that count as no message from `void_at` on: recalled ones, those that expire, and those that a power
-- cut took. Not partitioned, and only for what is out of the ordinary: counting unread messages looks here once, not into each
-- month.
CREATE TABLE voids (
  conv_id   bigint NOT NULL,
  first_seq bigint NOT NULL,
  last_seq  bigint NOT NULL CHECK (last_seq >= first_seq),
  void_at   bigint NOT NULL,
  PRIMARY KEY (conv_id, last_seq)
);

-- Only where the bridge is told to keep recalled texts.
CREATE TABLE recalled_messages (
  conv_id     bigint NOT NULL,
  seq         bigint NOT NULL,
  sender      text COLLATE "C" NOT NULL,
  payload     text NOT NULL,       -- as it was when it was recalled
  recalled_by text COLLATE "C" NOT NULL,
  recalled_at bigint NOT NULL,
  PRIMARY KEY (conv_id, seq)
);

CREATE TABLE reactions (
  conv_id   bigint NOT NULL,
  seq       bigint NOT NULL,
  user_name text COLLATE "C" NOT NULL,
  emoji     text COLLATE "C" NOT NULL,
  at        bigint NOT NULL,
  PRIMARY KEY (conv_id, seq, user_name, emoji)
);

-- Deleted for one user only.
CREATE TABLE hidden_messages (
  user_name text COLLATE "C" NOT NULL,
  conv_id   bigint NOT NULL,
  seq       bigint NOT NULL,
  at        bigint NOT NULL,
  PRIMARY KEY (user_name, conv_id, seq)
);

ALTER TABLE users
  ADD COLUMN display_name text NOT NULL DEFAULT '',
  ADD COLUMN avatar       text NOT NULL DEFAULT '',
  ADD COLUMN about        text NOT NULL DEFAULT '';

ALTER TABLE members
  ADD COLUMN muted     boolean NOT NULL DEFAULT false,
  ADD COLUMN pinned_at bigint,                    -- NULL: not pinned
  ADD COLUMN draft     text NOT NULL DEFAULT '';

-- What a request that changes something was answered: the same id again gets the same answer, and changes nothing.
CREATE TABLE request_answers (
  user_name text COLLATE "C" NOT NULL,
  id        text COLLATE "C" NOT NULL,
  operation text NOT NULL,
  request   text NOT NULL,          -- a digest of the whole request: the same id with another request is refused
  answer    text NOT NULL,          -- JSON: the fields of the success
  at        bigint NOT NULL,
  PRIMARY KEY (user_name, id)
);
CREATE INDEX request_answers_at ON request_answers (at);

-- Publishes that a command caused (a refusal, so far), made in the transaction that applied it and deleted once the broker has
-- acknowledged them: at least once, whatever is killed between.
CREATE TABLE outgoing (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_name text COLLATE "C" NOT NULL,
  leaf      text NOT NULL,          -- the topic's end: chat/u/{user_name}/{leaf}
  payload   text NOT NULL
);

-- Brokers learn of each event, so that devices that are connected get it; the bridge learns of each command.
CREATE FUNCTION chat_tell_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('chat_changed', json_build_object('kind', 'conversation', 'name', c.name)::text)
    FROM conversations c WHERE c.id = NEW.conv_id;
  RETURN NULL;
END $$;
CREATE TRIGGER tell_insert AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION chat_tell_event();

CREATE FUNCTION chat_tell_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('chat_commands', '');
  RETURN NULL;
END $$;
CREATE TRIGGER tell_insert AFTER INSERT ON commands FOR EACH STATEMENT EXECUTE FUNCTION chat_tell_command();

-- A member's unread messages lie above its floor, less those that are void or hidden. None above it is its own: last_sent_seq is
-- part of the floor.
CREATE FUNCTION chat_floor(m members) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT greatest(m.join_seq - 1, m.deleted_to, m.read_seq, m.last_sent_seq) $$;

CREATE FUNCTION chat_unread(m members, last_seq bigint, now_ms bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT greatest(0, last_seq - f
    - (SELECT coalesce(sum(v.last_seq - greatest(v.first_seq - 1, f)), 0)::bigint FROM voids v
       WHERE v.conv_id = m.conv_id AND v.last_seq > f AND v.void_at <= now_ms)
    - (SELECT count(*) FROM hidden_messages h WHERE h.user_name = m.user_name AND h.conv_id = m.conv_id AND h.seq > f
       AND NOT EXISTS (SELECT FROM voids v WHERE v.conv_id = h.conv_id AND v.last_seq >= h.seq AND v.first_seq <= h.seq
                       AND v.void_at <= now_ms)))
  FROM (SELECT chat_floor(m) AS f) AS floor
$$;

-- Few messages mention anybody: counting a member's unread mentions looks at those only.
CREATE INDEX messages_mentions ON messages (conv_id, seq) WHERE mentions IS NOT NULL;

-- How a user stands in each of their conversations. chat_unread() is asked only where it can differ from a subtraction: a list
-- of 10,000 conversations asks for them all.
CREATE FUNCTION chat_standings(who text, now_ms bigint)
RETURNS TABLE (conv_id bigint, active bigint, floor_seq bigint, unread bigint, muted boolean) LANGUAGE sql STABLE AS $$
  SELECT m.conv_id, greatest(c.last_time, m.joined_at), chat_floor(m),
    CASE WHEN c.last_seq <= chat_floor(m) THEN 0
         WHEN EXISTS (SELECT FROM voids v WHERE v.conv_id = m.conv_id AND v.last_seq > chat_floor(m))
           OR EXISTS (SELECT FROM hidden_messages h
                      WHERE h.user_name = m.user_name AND h.conv_id = m.conv_id AND h.seq > chat_floor(m))
         THEN chat_unread(m, c.last_seq, now_ms)
         ELSE c.last_seq - chat_floor(m) END, m.muted
  FROM members m JOIN conversations c ON c.id = m.conv_id WHERE m.user_name = who
$$;

-- A message that expires at once has ttl_s 0; the division keeps a ttl_s of any size from overflowing.
CREATE FUNCTION chat_expired(server_time bigint, ttl_s bigint, now_ms bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT ttl_s IS NOT NULL AND ttl_s <= (now_ms - server_time) / 1000 $$;

-- Those among a member's unread messages that name it. (plpgsql keeps the plan, which has a part for each month; an SQL function
-- would make it anew in each statement.)
CREATE FUNCTION chat_mentions(who text, conv bigint, floor_seq bigint, now_ms bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN (SELECT count(*) FROM messages s
    WHERE s.conv_id = conv AND s.seq > floor_seq AND s.mentions IS NOT NULL AND who = ANY (s.mentions)
      AND s.recalled_at IS NULL AND NOT chat_expired(s.server_time, s.ttl_s, now_ms)
      AND NOT EXISTS (SELECT FROM hidden_messages h WHERE h.user_name = who AND h.conv_id = conv AND h.seq = s.seq));
END $$;

-- A page of what a member may see: the first want's messages from low to high, then the second's …; `newest` turns each want's
-- order round. At most max_rows, and one row behind the one that reaches max_bytes of payload, which tells that there is more.
-- How and why: chat_messages_above().
CREATE FUNCTION chat_messages_seen(who text, convs bigint[], lows bigint[], highs bigint[], newest boolean, max_rows integer,
                                   max_bytes bigint, now_ms bigint)
RETURNS TABLE (o_conv text, o_seq bigint, o_server_time bigint, o_sender text, o_mid uuid, o_type smallint, o_gone boolean,
               o_payload text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  page       refcursor;
  bytes_left bigint := max_bytes;
  full_up    boolean := false;
BEGIN
  IF newest THEN
    OPEN page FOR
      SELECT c.name, s.seq, s.server_time, s.sender, s.mid, s.type, s.gone, s.payload
      FROM unnest(convs, lows, highs) WITH ORDINALITY AS w (conv_id, low, high, n)
      JOIN conversations c ON c.id = w.conv_id
      JOIN members m ON m.conv_id = w.conv_id AND m.user_name = who
      CROSS JOIN LATERAL (
        SELECT t.*, chat_expired(t.server_time, t.ttl_s, now_ms) AND t.recalled_at IS NULL AS gone FROM messages t
        WHERE t.conv_id = w.conv_id AND t.seq >= greatest(w.low, m.join_seq, m.deleted_to + 1) AND t.seq <= w.high
          AND NOT EXISTS (SELECT FROM hidden_messages h WHERE h.user_name = who AND h.conv_id = t.conv_id AND h.seq = t.seq)
        ORDER BY t.seq DESC LIMIT max_rows) s
      ORDER BY w.n, s.seq DESC LIMIT max_rows;
  ELSE
    OPEN page FOR
      SELECT c.name, s.seq, s.server_time, s.sender, s.mid, s.type, s.gone, s.payload
      FROM unnest(convs, lows, highs) WITH ORDINALITY AS w (conv_id, low, high, n)
      JOIN conversations c ON c.id = w.conv_id
      JOIN members m ON m.conv_id = w.conv_id AND m.user_name = who
      CROSS JOIN LATERAL (
        SELECT t.*, chat_expired(t.server_time, t.ttl_s, now_ms) AND t.recalled_at IS NULL AS gone FROM messages t
        WHERE t.conv_id = w.conv_id AND t.seq >= greatest(w.low, m.join_seq, m.deleted_to + 1) AND t.seq <= w.high
          AND NOT EXISTS (SELECT FROM hidden_messages h WHERE h.user_name = who AND h.conv_id = t.conv_id AND h.seq = t.seq)
        ORDER BY t.seq LIMIT max_rows) s
      ORDER BY w.n, s.seq LIMIT max_rows;
  END IF;
  LOOP
    FETCH page INTO o_conv, o_seq, o_server_time, o_sender, o_mid, o_type, o_gone, o_payload;
    EXIT WHEN NOT FOUND;
    RETURN NEXT;
    EXIT WHEN full_up;
    bytes_left := bytes_left - octet_length(o_payload);
    full_up := bytes_left <= 0;
  END LOOP;
  CLOSE page;
END $$;

-- The newest message of a conversation that a member may see, or a row of NULLs. Usually it is the conversation's last one, which
-- lies in one known month; the others are looked into only where that one is hidden, or is a number without a message.
CREATE FUNCTION chat_last_seen(who text, conv bigint, low bigint, last_seq bigint, last_time bigint) RETURNS messages
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  found_one messages;
BEGIN
  IF last_seq < low THEN
    RETURN NULL;
  END IF;
  SELECT * INTO found_one FROM messages t
    WHERE t.conv_id = conv AND t.seq = last_seq AND t.server_time = last_time
      AND NOT EXISTS (SELECT FROM hidden_messages h WHERE h.user_name = who AND h.conv_id = conv AND h.seq = t.seq);
  IF NOT FOUND THEN
    SELECT * INTO found_one FROM messages t
      WHERE t.conv_id = conv AND t.seq BETWEEN low AND last_seq
        AND NOT EXISTS (SELECT FROM hidden_messages h WHERE h.user_name = who AND h.conv_id = conv AND h.seq = t.seq)
      ORDER BY t.seq DESC LIMIT 1;
  END IF;
  RETURN found_one;
END $$;
