-- What has to be told to whom (rule 25), and the messages that tell it.

create table notification (
    notification_id uuid primary key,     -- the idempotency key
    regency text not null,
    recipient_id text not null,
    kind text not null,                   -- of its one intent, or `digest`
    level integer not null,
    case_id uuid,
    correlationid text not null,
    channel text not null check (channel in ('file', 'webhook')),
    due_at timestamptz not null,          -- deciding time at which it should be told
    expires_at timestamptz not null,      -- deciding time after which it is dropped
    status text not null default 'waiting' check (status in ('waiting', 'sent', 'failed')),
    reason text,                          -- why it failed
    attempts integer not null default 0,
    try_at timestamptz not null default now(),  -- real clock: backoff, and the lease of who is sending it
    settled_at timestamptz                -- deciding time
) with (fillfactor = 70);

create index notification_waiting on notification (channel, try_at) where status = 'waiting';

create table intent (
    thing_id uuid not null,               -- the case, household, visit, package, round or lot
    occasion integer not null,            -- a case's episode, else the version of the fact
    kind text not null,
    level integer not null,
    recipient_id text not null,
    regency text not null,
    channel text not null,
    urgent boolean not null,              -- its own message, at once; else part of a digest
    due_at timestamptz not null,
    case_id uuid,
    correlationid text not null,
    about jsonb not null,                 -- ids, codes and counts for the text
    notification_id uuid references notification,
    primary key (thing_id, occasion, kind, level, recipient_id)
) with (fillfactor = 70);

create index intent_waiting on intent (channel, due_at) where notification_id is null;
create index intent_by_notification on intent (notification_id) where notification_id is not null;
