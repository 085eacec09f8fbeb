-- Contacts and blocks: how one user stands to another, as that user's own list shows it. Of two who have to do with each other
-- either both have a row (one asks and the other is asked, or both accepted), or whoever blocks has one, and the other has none
-- that says anything of it. One who blocks has ended what there was: both may block each other.
CREATE TABLE contacts (
  user_name text COLLATE "C" NOT NULL REFERENCES users (name),
  other     text COLLATE "C" NOT NULL REFERENCES users (name),
  state     smallint NOT NULL CHECK (state BETWEEN 0 AND 3),  -- 0 asks the other, 1 is asked by the other, 2 accepted, 3 blocks the other
  at        bigint NOT NULL,                                  -- since then
  PRIMARY KEY (user_name, other),
  CHECK (user_name <> other)
);

-- Brokers learn of each change, by the name of the direct conversation of the two, whether or not that is there yet.
CREATE FUNCTION chat_tell_contact() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed contacts;
BEGIN
  IF TG_OP = 'DELETE' THEN
    changed := OLD;
  ELSE
    changed := NEW;
  END IF;
  PERFORM pg_notify('chat_changed', json_build_object('kind', 'contacts', 'name',
    'dm:' || least(changed.user_name, changed.other) || ':' || greatest(changed.user_name, changed.other))::text);
  RETURN NULL;
END $$;
CREATE TRIGGER tell_change AFTER INSERT OR DELETE OR UPDATE OF state ON contacts FOR EACH ROW EXECUTE FUNCTION chat_tell_contact();

-- Whether `asker` may know what `target` shows of itself, such as when it is here: contacts may, and those with whom one shares a
-- conversation, but nobody whom the target blocks.
CREATE OR REPLACE FUNCTION chat_may_see(asker text, target text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT asker = target OR (
    NOT EXISTS (SELECT FROM contacts c WHERE c.user_name = target AND c.other = asker AND c.state = 3)
    AND (EXISTS (SELECT FROM contacts c WHERE c.user_name = asker AND c.other = target AND c.state = 2)
         OR chat_share_conversation(asker, target)))
$$;

-- A new event is told as just that: a broker then reads the events, and not the thousands of members whom most of them leave as they
-- are. What changes the members or the conversation is told by those tables' own triggers, in the same transaction.
CREATE OR REPLACE FUNCTION chat_tell_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('chat_changed', json_build_object('kind', 'events', 'name', c.name)::text)
    FROM conversations c WHERE c.id = NEW.conv_id;
  RETURN NULL;
END $$;
