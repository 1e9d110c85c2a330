-- Settled messages are pruned by their age on the real clock: `try_at` stays where the last try put it.
create index notification_settled on notification (try_at) where status <> 'waiting';
