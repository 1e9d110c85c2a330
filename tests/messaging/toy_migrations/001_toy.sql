create table toy_households (
    household_id uuid primary key,
    version integer not null,
    residents integer not null check (residents <> 13)
);
-- One aggregate a household; its version counts the messages that had an effect.
create table toy_assignments (household_id uuid primary key, version integer not null);
create table toy_visits (
    number bigint generated always as identity,
    visit_id uuid not null,
    household_id uuid not null,
    received_at timestamptz not null
);
