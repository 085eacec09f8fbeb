-- What the bridge tells without being asked: receipts, and unread counts.

-- When read_seq last rose, beside device_cursors.at.
ALTER TABLE members ADD COLUMN read_at bigint NOT NULL DEFAULT 0;

-- Kept by the triggers below: the commit of acknowledgements asks for it.
ALTER TABLE conversations ADD COLUMN member_count integer NOT NULL DEFAULT 0;
UPDATE conversations c SET member_count = (SELECT count(*) FROM members m WHERE m.conv_id = c.id);

-- Whose cursors rose, until those who sent the messages were told: from what was told before to where they are now. One row a
-- member, however many acknowledgements came, and none in a group that is too large to be told of.
CREATE TABLE receipts_due (
  conv_id        bigint NOT NULL,
  user_name      text COLLATE "C" NOT NULL,
  delivered_from bigint NOT NULL,
  read_from      bigint NOT NULL,
  delivered      bigint NOT NULL,  -- the highest of the user's devices
  read           bigint NOT NULL,
  at             bigint NOT NULL,
  PRIMARY KEY (conv_id, user_name)
) WITH (fillfactor = 50);

-- Channel chat_activity tells the bridge whose unread messages to count again, as words with a space between: "17" is everybody
-- in conversation 17, "17:bob" is bob there. A commit of messages and cursors tells of its own; what else counts as a change is
-- told by triggers, which that commit's updates of members do not fire.
--
-- A notice holds less than 8,000 bytes.
CREATE FUNCTION chat_tell_activity(words text[]) RETURNS void LANGUAGE sql VOLATILE AS $$
  SELECT pg_notify('chat_activity', string_agg(word, ' '))
  FROM (SELECT word, sum(octet_length(word) + 1) OVER (ROWS UNBOUNDED PRECEDING) / 7000 AS part FROM unnest(words) AS word) AS w
  GROUP BY part
$$;

CREATE FUNCTION chat_members_came_or_went() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE conversations c SET member_count = c.member_count + CASE TG_OP WHEN 'INSERT' THEN n.members ELSE -n.members END
    FROM (SELECT conv_id, count(*) AS members FROM changed GROUP BY conv_id) AS n WHERE c.id = n.conv_id;
  PERFORM chat_tell_activity(ARRAY(SELECT conv_id || ':' || user_name FROM changed));
  RETURN NULL;
END $$;
CREATE TRIGGER came AFTER INSERT ON members REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  EXECUTE FUNCTION chat_members_came_or_went();
CREATE TRIGGER went AFTER DELETE ON members REFERENCING OLD TABLE AS changed FOR EACH STATEMENT
  EXECUTE FUNCTION chat_members_came_or_went();

CREATE FUNCTION chat_tell_member_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM chat_tell_activity(ARRAY[NEW.conv_id || ':' || NEW.user_name]);
  RETURN NULL;
END $$;
CREATE TRIGGER tell_activity AFTER UPDATE OF muted, deleted_to, join_seq ON members FOR EACH ROW
  WHEN ((OLD.muted, OLD.deleted_to, OLD.join_seq) IS DISTINCT FROM (NEW.muted, NEW.deleted_to, NEW.join_seq))
  EXECUTE FUNCTION chat_tell_member_activity();

CREATE FUNCTION chat_tell_conversation_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM chat_tell_activity(ARRAY(SELECT DISTINCT conv_id::text FROM changed));
  RETURN NULL;
END $$;
CREATE TRIGGER tell_insert AFTER INSERT ON voids REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  EXECUTE FUNCTION chat_tell_conversation_activity();
CREATE TRIGGER tell_update AFTER UPDATE ON voids REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  EXECUTE FUNCTION chat_tell_conversation_activity();

CREATE FUNCTION chat_tell_hidden() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM chat_tell_activity(ARRAY(SELECT DISTINCT conv_id || ':' || user_name FROM changed));
  RETURN NULL;
END $$;
CREATE TRIGGER tell_insert AFTER INSERT ON hidden_messages REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
  EXECUTE FUNCTION chat_tell_hidden();
CREATE TRIGGER tell_delete AFTER DELETE ON hidden_messages REFERENCING OLD TABLE AS changed FOR EACH STATEMENT
  EXECUTE FUNCTION chat_tell_hidden();
