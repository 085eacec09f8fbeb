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
