-- Who looks after whom: the copies that decisions need, and the assignment of each household with its history.

-- Copies of the registry's facts; an older version never overwrites a newer one.
create table household (
    household_id uuid primary key,
    version integer not null,
    regency text not null,
    status text not null,
    programmes text[] not null,           -- those it may have now
    district text not null,
    village text not null,
    latitude double precision,
    longitude double precision,
    check ((latitude is null) = (longitude is null))
) with (fillfactor = 70);
create index household_by_village on household (village);

create table profile (
    household_id uuid primary key,
    version integer not null,
    competences text[] not null           -- those that fit one of its needs
);

create table carer (
    carer_id uuid primary key,
    version integer not null,
    regency text not null,
    status text not null,
    office_id text not null,
    capacity integer not null,
    competences text[] not null,
    home_latitude double precision,
    home_longitude double precision,
    workplace_latitude double precision,
    workplace_longitude double precision,
    conflicts uuid[] not null,
    left_at timestamptz                   -- deciding time at which the leaving became known here
);
create index carer_by_regency on carer (regency) where status = 'active';

-- One row a household, from its first eligibility on. `state` is what the newest fact says; null: nothing said yet.
create table assignment (
    household_id uuid primary key,
    assignment_id uuid not null unique,
    regency text not null,
    fact text,                            -- wire type of the newest fact
    state jsonb,
    version integer not null generated always as (coalesce((state ->> 'version')::integer, 0)) stored,
    carer_id uuid generated always as ((state ->> 'carer_id')::uuid) stored,
    waiting_for text check (waiting_for in ('new', 'carer_left', 'conflict', 'over_capacity', 'moved')),
    tried bigint,                         -- how much had changed when the match last found nobody for it
    served_since timestamptz,             -- with one carer or another without a gap
    carer_since timestamptz,              -- with this one
    check ((fact is null) = (state is null)),
    check ((carer_id is null) = (carer_since is null)),
    check ((carer_id is null) = (served_since is null))
) with (fillfactor = 70);
create index assignment_by_carer on assignment (carer_id) where carer_id is not null;
create index assignment_waiting on assignment (regency) where waiting_for is not null;
create index assignment_served on assignment (regency, served_since) where served_since is not null;

-- Counts what could let the match find somebody for those it found nobody for: carers, and room that came free.
create table room_change (
    regency text primary key,
    changes bigint not null
);

-- Who looked after a household before; what is now is in `assignment`.
create table tenure (
    household_id uuid not null,
    carer_id uuid not null,
    since timestamptz not null,
    until timestamptz not null,
    next_carer_id uuid,
    reason text not null,
    left_at timestamptz,                  -- when the carer left; null for other reasons
    primary key (household_id, until)
);
