-- Who is here. What is true now the broker tells the bridge; kept is what a bridge needs that takes over or starts again: who was
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

-- Whether `asker` may know when `target` is here: oneself, and those with whom one shares a conversation.
CREATE FUNCTION chat_may_see(asker text, target text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT asker = target OR EXISTS (
    SELECT FROM members a JOIN members b ON b.conv_id = a.conv_id WHERE a.user_name = asker AND b.user_name = target)
$$;
