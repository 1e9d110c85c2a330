-- Visits as reported, and those that are missing (rules 20 and 21).

create table visit (
    visit_id uuid primary key,
    regency text not null,
    state jsonb not null,
    first_received_at timestamptz not null,
    household_id uuid not null generated always as ((state ->> 'household_id')::uuid) stored,
    period text not null generated always as (state ->> 'period') stored,
    happened boolean not null generated always as ((state ->> 'happened')::boolean) stored,
    version integer not null generated always as ((state ->> 'version')::integer) stored
) with (fillfactor = 90);
create index visit_that_happened on visit (household_id, period) where happened;

create table overdue_visit (
    visit_id uuid primary key,
    regency text not null,
    state jsonb not null,
    escalates_at timestamptz not null,
    settled boolean not null default false, -- the coordinator has been told, or need not be
    household_id uuid not null generated always as ((state ->> 'household_id')::uuid) stored,
    period text not null generated always as (state ->> 'period') stored,
    level text not null generated always as (state ->> 'level') stored,
    unique (household_id, period)
);
create index overdue_visit_escalating on overdue_visit (escalates_at) where not settled;

-- Periods whose end has been dealt with.
create table watched_period (
    regency text not null,
    period text not null,
    primary key (regency, period)
);
