-- What an operator does about what is stuck.

alter table quarantine
    alter column payload drop not null,        -- null: pruned, some time after it was resolved
    add column received_at timestamptz,        -- deciding time of its first receipt
    add column retries integer not null default 0,
    add column retry_requested_at timestamptz, -- until the service has tried it again
    add column retry_requested_by text,        -- who asked last
    add column why text,                       -- it was discarded
    add check (payload is not null or resolved_at is not null),
    add check (retry_requested_at is null or resolved_at is null),
    add check (why is not null or resolution is distinct from 'discarded');
create index on quarantine (retry_requested_at) where retry_requested_at is not null;
create index on quarantine (resolved_at) where resolved_at is not null and payload is not null;

alter table parked add column type text;

-- The breaker's stops that an operator ended.
create table past_stop (
    stopped_at timestamptz primary key,
    reason text not null,
    resumed_at timestamptz not null default now(),
    resumed_by text not null
);

-- Topics to be read once more, from a time on: what is missing in the inbox is handed to the service.
create table replay (
    replay_id bigint generated always as identity primary key,
    topic text not null,                       -- without prefix
    since timestamptz not null,                -- by the broker's clock
    requested_at timestamptz not null default now(),
    requested_by text not null,
    messages_read bigint not null default 0,
    outcomes jsonb not null default '{}',      -- of the missing ones: how many were accepted, parked ...
    finished_at timestamptz,
    failed text                                -- class and code location of an error that trying again does not mend
);
create index on replay (replay_id) where finished_at is null;
