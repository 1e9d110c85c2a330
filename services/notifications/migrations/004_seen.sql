-- When the newest of the needs that wait was seen, as the report says: an old report of a need that was met since opens
-- nothing. Null: the fact did not say.
alter table profile add column seen_at timestamptz;
