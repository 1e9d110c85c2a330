-- The tables every service database has, whatever the service decides.

-- Every message seen, with its answer, so that a repeat gets the first answer.
create table inbox (
    message_id uuid primary key,          -- hash of source and id
    content uuid,                         -- hash of a submission's content; null for facts, whose ids cannot be reused
    outcome text not null default 'accepted'
        check (outcome in ('accepted', 'unchanged', 'parked', 'refused', 'quarantined')),
    code text,
    field text,
    received_at timestamptz not null default now()
) with (fillfactor = 90);

-- Facts on their way to Kafka; empty at rest.
create table outbox (
    id bigint generated always as identity primary key,
    topic text not null,
    message_id uuid not null,
    type text not null,
    subject text not null,
    regency text not null,
    correlationid text not null,
    causationid text,
    value bytea not null,
    created_at timestamptz not null default now()
) with (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);

-- Submissions that need something not yet here, and later ones of the same subject behind them.
create table parked (
    message_id uuid primary key,
    position bigint generated always as identity,
    subject text not null,
    waits_for uuid,                       -- null: waits for the earlier ones of its subject
    payload bytea not null,               -- the record, encrypted
    received_at timestamptz not null,     -- deciding time of its first receipt
    parked_at timestamptz not null default now(),
    due_at timestamptz not null default now(),
    attempts integer not null default 0
);
create index on parked (subject, position);
create index on parked (waits_for);

-- What could not be read, and what was read but fails.
create table quarantine (
    message_id uuid primary key,
    reason text not null check (reason in ('unreadable', 'unknown_type', 'bad_data', 'bug')),
    type text,
    topic text not null,
    partition integer,                    -- null: came over HTTP
    "offset" bigint,
    payload bytea not null,               -- headers, key and value, encrypted
    error text,                           -- class and code location; never the message, which may quote input
    quarantined_at timestamptz not null default now(),
    resolved_at timestamptz,
    resolution text check (resolution in ('retried', 'discarded')),
    resolved_by text,
    check ((resolved_at is null) = (resolution is null))
);
create index on quarantine (quarantined_at) where resolved_at is null;

-- One row while the breaker holds the consumer; deleting it lets it go on.
create table breaker (
    singleton boolean primary key default true check (singleton),
    stopped_at timestamptz not null default now(),
    reason text not null
);

-- Programme clock: deciding time is now() plus this; read in development only.
create table clock (
    singleton boolean primary key default true check (singleton),
    ahead interval not null default '0'
);
insert into clock default values;

-- The last run of every job, on the real clock.
create table job_runs (
    job text primary key,
    started_at timestamptz not null,
    finished_at timestamptz,
    wrote integer not null default 0,     -- transactions of the run that changed anything
    failed text                           -- class and code location of its error
);
