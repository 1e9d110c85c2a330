-- Cases, how often each need was seen, and what is known here of households.

-- A row is the case's public state, as its newest fact says it; what is searched or checked is generated from it.
-- The table is plural because `case` is a word of SQL.
create table cases (
    case_id uuid primary key,
    state jsonb not null,
    next_date timestamptz,                -- as in the state: a time cannot be a generated column
    sightings integer not null,           -- may be ahead of the state: a sighting alone is no fact
    started_at timestamptz not null,      -- of the clocks: opening, rerouting or reopening, later by what stood still
    episode integer not null,             -- how often the clocks have started
    waiting_since timestamptz,            -- while waiting: when the clock stopped, and the order of the queue
    correlationid text not null,          -- of the submission that led to it
    regency text not null generated always as (left(state ->> 'district', 5)) stored,
    version integer not null generated always as ((state ->> 'version')::integer) stored,
    household_id uuid not null generated always as ((state ->> 'household_id')::uuid) stored,
    person_id uuid generated always as ((state ->> 'person_id')::uuid) stored,
    need text not null generated always as (state ->> 'need') stored,
    office_id text not null generated always as (state ->> 'responsible_office_id') stored,
    status text not null generated always as (state ->> 'status') stored,
    waiting_for text generated always as (state ->> 'waiting_for') stored,
    constraint open_case_has_next_date check (status = 'confirmed' or next_date is not null),
    constraint waiting_case_knows_since check ((waiting_for is null) = (waiting_since is null))
) with (fillfactor = 70);

-- One open case per household, person and need (rule 22).
create unique index one_open_case on cases (household_id, need, person_id) nulls not distinct
    where status <> 'confirmed';
create index cases_by_household on cases (household_id);
create index resolved_cases on cases (household_id) where status = 'resolved';
create index cases_by_next_date on cases (next_date) where status <> 'confirmed';
create index cases_by_office on cases (regency, office_id) where status <> 'confirmed';
create index budget_queue on cases (regency, office_id, need, waiting_since) where waiting_for = 'budget';

-- Every fact of a case: its history for the office, and what figures count.
create table case_history (
    case_id uuid not null references cases,
    version integer not null,
    type text not null,                   -- case-opened ...
    decided_at timestamptz not null,
    office_id text not null,
    escalation_level integer not null,
    reason text,
    primary key (case_id, version)
);
create index case_history_by_type on case_history (type, decided_at);

-- Who saw a need: a visit, the register, a package. A correction withdraws what it no longer says (rule 20).
create table sighting (
    source_id uuid not null,              -- visit, household or package
    case_id uuid not null references cases,
    withdrawn boolean not null default false,
    primary key (source_id, case_id)
);

-- Versions of the visits that mattered to a case; of others nothing is kept.
create table visit (
    visit_id uuid primary key,
    version integer not null
);

create table household (
    household_id uuid primary key,
    version integer not null,
    district text not null,
    gone boolean not null,                -- left or merged: nobody is there to be helped
    nik_status text not null,
    review_reason text
) with (fillfactor = 70);

-- Needs and enrolments of the registry's profile; an empty first version is not stored.
create table profile (
    household_id uuid primary key,
    version integer not null,
    needs text[] not null,
    waiting_needs text[] not null,        -- not looked at yet: a job does when the household is known too
    enrolments jsonb not null,
    correlationid text not null
) with (fillfactor = 70);

create index profile_with_waiting_needs on profile (household_id) where waiting_needs <> '{}';

-- Who holds or has delivered goods of a lot, to be told when it is recalled.
create table lot_holder (
    lot_id uuid not null,
    package_id uuid not null,
    holder_id text not null,              -- collector or carer
    primary key (lot_id, package_id, holder_id)
);

create table recalled_lot (
    lot_id uuid primary key,
    version integer not null,
    item text not null
);
