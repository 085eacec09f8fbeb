-- Who is here; and a faster list of conversations.
--
-- What is true now the broker tells the bridge; kept is what a bridge needs that takes over or starts again: who was
-- here when it was last heard of, and who wants to be told.

-- When the user was last here: written when a session ends. (devices.last_seen is each device's.)
ALTER TABLE users ADD COLUMN last_seen bigint NOT NULL DEFAULT 0;

-- The sessions whose coming was told to those who watch, and whose end was not.
CREATE TABLE presence_sessions (
  user_name text COLLATE "C" NOT NULL,
  device    text COLLATE "C" NOT NULL,
  PRIMARY KEY (user_name, device)
);

-- A session's watches end with it: those that were made before its end.
CREATE TABLE presence_watches (
  watched   text COLLATE "C" NOT NULL,
  user_name text COLLATE "C" NOT NULL,
  device    text COLLATE "C" NOT NULL,
  at        bigint NOT NULL,
  PRIMARY KEY (watched, user_name, device)
);
CREATE INDEX presence_watches_of_session ON presence_watches (user_name, device);

-- When the sessions above were last known to be here. One row.
CREATE TABLE presence_heard (at bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO presence_heard VALUES (0);

-- Looked for from the side that is in fewer conversations: a user in 10,000 of them has many watchers who are in few.
CREATE FUNCTION chat_share_conversation(one text, two text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  few   text := one;
  other text := two;
BEGIN
  IF (SELECT count(*) FROM (SELECT FROM members WHERE user_name = one LIMIT 200) m) = 200
     AND (SELECT count(*) FROM (SELECT FROM members WHERE user_name = two LIMIT 200) m) < 200 THEN
    few := two;
    other := one;
  END IF;
  RETURN EXISTS (SELECT FROM members a WHERE a.user_name = few
                 AND EXISTS (SELECT FROM members b WHERE b.conv_id = a.conv_id AND b.user_name = other OFFSET 0));
END $$;

-- Whether `asker` may know when `target` is here: oneself, and those with whom one shares a conversation.
CREATE FUNCTION chat_may_see(asker text, target text) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT asker = target OR chat_share_conversation(asker, target) $$;

-- chat_standings() for those who want all of a user's conversations: what lowers a count is looked up once for all of them, and not
-- by a call for each, so that 10,000 conversations with unread messages cost a third. (Where one conversation is asked for, the
-- other is better: PostgreSQL can look at that one alone.)
CREATE FUNCTION chat_all_standings(who text, now_ms bigint)
RETURNS TABLE (conv_id bigint, active bigint, floor_seq bigint, unread bigint, muted boolean) LANGUAGE sql STABLE AS $$
  WITH s AS MATERIALIZED (
    SELECT m.conv_id, greatest(c.last_time, m.joined_at) AS active, c.last_seq, m.muted,
      greatest(m.join_seq - 1, m.deleted_to, m.read_seq, m.last_sent_seq) AS floor_seq
    FROM members m JOIN conversations c ON c.id = m.conv_id WHERE m.user_name = who),
  hidden AS MATERIALIZED (
    SELECT h.conv_id, count(*) AS messages FROM hidden_messages h JOIN s ON s.conv_id = h.conv_id AND h.seq > s.floor_seq
    WHERE h.user_name = who AND NOT EXISTS (
      SELECT FROM voids v WHERE v.conv_id = h.conv_id AND v.last_seq >= h.seq AND v.first_seq <= h.seq AND v.void_at <= now_ms)
    GROUP BY h.conv_id)
  SELECT s.conv_id, s.active, s.floor_seq,
    CASE WHEN s.last_seq <= s.floor_seq THEN 0 ELSE greatest(0, s.last_seq - s.floor_seq - coalesce(hidden.messages, 0)
      - (SELECT coalesce(sum(v.last_seq - greatest(v.first_seq - 1, s.floor_seq)), 0)::bigint FROM voids v
         WHERE v.conv_id = s.conv_id AND v.last_seq > s.floor_seq AND v.void_at <= now_ms)) END, s.muted
  FROM s LEFT JOIN hidden ON hidden.conv_id = s.conv_id
$$;
