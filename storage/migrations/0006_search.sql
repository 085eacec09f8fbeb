-- What search looks in: the words of each message, beside the messages, written by the bridge behind the commit.

-- `words` holds a message's words (storage/search_words.h), its conversation as '/{conv_id}' and its sender as '@{sender}': so that
-- "this word, in that conversation" is one look into one index. The key is in order of time, because what is found comes newest
-- first. The partitions are the months of messages, made by chat_make_words_month(), so that an old month leaves as a whole here
-- too.
CREATE TABLE message_words (
  conv_id     bigint NOT NULL,
  seq         bigint NOT NULL,
  server_time bigint NOT NULL,
  words       tsvector NOT NULL,
  PRIMARY KEY (server_time, conv_id, seq)
) PARTITION BY RANGE (server_time);

-- New rows wait in the index's own list, which each search reads as well: hence a short one.
CREATE INDEX message_words_words ON message_words USING gin (words) WITH (gin_pending_list_limit = 512);

-- How far each conversation is searchable. Its row is what the indexer and a recall lock against each other: whichever comes
-- second sees what the other did.
CREATE TABLE search_progress (
  conv_id bigint PRIMARY KEY,
  seq     bigint NOT NULL
) WITH (fillfactor = 60);

-- As chat_make_month().
CREATE FUNCTION chat_make_words_month(at_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  month    timestamp := date_trunc('month', to_timestamp(at_ms / 1000.0) AT TIME ZONE 'UTC');
  part     text := 'message_words_' || to_char(month, 'YYYY_MM');
  low      bigint := extract(epoch FROM month) * 1000;
  high     bigint := extract(epoch FROM month + interval '1 month') * 1000;
  attached boolean;
BEGIN
  FOR attempt IN 1 .. 2 LOOP
    SELECT relispartition INTO attached FROM pg_class
      WHERE relname = part AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'message_words'::regclass);
    EXIT WHEN FOUND OR attempt = 2;
    PERFORM pg_advisory_xact_lock(hashtext('mosquitto-chat'), hashtext(part));
  END LOOP;
  IF attached IS NULL THEN
    EXECUTE format('CREATE TABLE %I (LIKE message_words INCLUDING ALL)', part);
    EXECUTE format('ALTER TABLE message_words ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', part, low, high);
  ELSIF NOT attached THEN
    RAISE EXCEPTION 'the table % is there, but it was detached from message_words', part;
  END IF;
  RETURN part;
END $$;

-- The newest messages below a place, one by one, and among them those that match `query` and that `who` may see: for words that
-- are in many messages. Ends behind `most` of them, or behind the one that makes `want` found. Each row says how many were walked
-- through by then and how many matched, seen or not; the last row is where the walk ended, with o_found false.
CREATE FUNCTION chat_search_walk(who text, query tsquery, after_ms bigint, at_time bigint, at_conv bigint, at_seq bigint,
                                 most integer, want integer)
RETURNS TABLE (o_found boolean, o_server_time bigint, o_conv_id bigint, o_seq bigint, o_walked integer, o_matched integer)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off SET enable_memoize = off AS $$
DECLARE
  matches boolean;
  seen    boolean;
  found_n integer := 0;
BEGIN
  o_found := true;
  o_walked := 0;
  o_matched := 0;
  FOR o_server_time, o_conv_id, o_seq, matches, seen IN
    SELECT w.server_time, w.conv_id, w.seq, w.matches, w.seq >= m.join_seq AND w.seq > m.deleted_to
    FROM (SELECT n.server_time, n.conv_id, n.seq, n.words @@ query AS matches FROM message_words n
          WHERE n.server_time > after_ms AND n.server_time <= at_time
            AND (n.server_time, n.conv_id, n.seq) < (at_time, at_conv, at_seq)
          ORDER BY n.server_time DESC, n.conv_id DESC, n.seq DESC LIMIT most) w
    -- A key of NULL is looked up nowhere.
    LEFT JOIN members m ON m.conv_id = CASE WHEN w.matches THEN w.conv_id END AND m.user_name = who
  LOOP
    o_walked := o_walked + 1;
    CONTINUE WHEN NOT matches;
    o_matched := o_matched + 1;
    CONTINUE WHEN seen IS NOT TRUE;
    CONTINUE WHEN EXISTS (SELECT FROM hidden_messages h WHERE h.user_name = who AND h.conv_id = o_conv_id AND h.seq = o_seq);
    RETURN NEXT;
    found_n := found_n + 1;
    EXIT WHEN found_n = want;
  END LOOP;
  o_found := false;
  RETURN NEXT;
END $$;

-- The newest messages of one month (a partition of message_words) below a place that match `query` and that `who` may see, by the
-- index. `each`: in each of the user's conversations apart, for words that are in many messages of others. Only the match stands
-- inside OFFSET 0: nothing else is to choose the index.
CREATE FUNCTION chat_search_month(part text, each boolean, who text, query tsquery, after_ms bigint, at_time bigint, at_conv bigint,
                                  at_seq bigint, want integer)
RETURNS TABLE (o_server_time bigint, o_conv_id bigint, o_seq bigint)
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    CASE WHEN each THEN
      $q$ SELECT w.server_time, w.conv_id, w.seq FROM (SELECT * FROM members WHERE user_name = $1 OFFSET 0) m
          CROSS JOIN LATERAL (SELECT n.server_time, n.conv_id, n.seq FROM %I n
                              WHERE n.words @@ ($2 && ('''/' || m.conv_id || '''')::tsquery) OFFSET 0) w $q$
    ELSE
      $q$ SELECT w.server_time, w.conv_id, w.seq
          FROM (SELECT n.server_time, n.conv_id, n.seq FROM %I n WHERE n.words @@ $2 OFFSET 0) w
          JOIN members m ON m.conv_id = w.conv_id AND m.user_name = $1 $q$
    END ||
    $q$ WHERE w.server_time > $3 AND (w.server_time, w.conv_id, w.seq) < ($4, $5, $6)
          AND w.seq >= m.join_seq AND w.seq > m.deleted_to
          AND NOT EXISTS (SELECT FROM hidden_messages h WHERE h.user_name = $1 AND h.conv_id = w.conv_id AND h.seq = w.seq)
        ORDER BY w.server_time DESC, w.conv_id DESC, w.seq DESC LIMIT $7 $q$, part)
    USING who, query, after_ms, at_time, at_conv, at_seq, want;
END $$;
