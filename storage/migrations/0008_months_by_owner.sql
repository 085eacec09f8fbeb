-- Months are made with the rights of the tables' owner, whoever asks for one: so the programs that store messages and their words
-- need no right to make tables. Both functions look into this schema only, whatever the caller's settings are.

-- A search looks into the months themselves, by the index: who may read message_words may read each.
CREATE OR REPLACE FUNCTION chat_make_words_month(at_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  month    timestamp := date_trunc('month', to_timestamp(at_ms / 1000.0) AT TIME ZONE 'UTC');
  part     text := 'message_words_' || to_char(month, 'YYYY_MM');
  low      bigint := extract(epoch FROM month) * 1000;
  high     bigint := extract(epoch FROM month + interval '1 month') * 1000;
  attached boolean;
  reader   oid;
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
    FOR reader IN SELECT a.grantee FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
      WHERE c.oid = 'message_words'::regclass AND a.privilege_type = 'SELECT' AND a.grantee NOT IN (0, c.relowner)
    LOOP
      EXECUTE format('GRANT SELECT ON %I TO %s', part, reader::regrole);
    END LOOP;
  ELSIF NOT attached THEN
    RAISE EXCEPTION 'the table % is there, but it was detached from message_words', part;
  END IF;
  RETURN part;
END $$;

DO $$
DECLARE
  maker text;
BEGIN
  FOREACH maker IN ARRAY ARRAY['chat_make_month(bigint)', 'chat_make_words_month(bigint)'] LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', maker, current_schema());
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', maker);
  END LOOP;
END $$;
