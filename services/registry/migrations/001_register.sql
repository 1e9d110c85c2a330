-- Households and carers as the register knows them. Whoever is named anywhere is named only inside a ciphertext
-- (AES-256-GCM, bound to its row, `key_id` says under which key) and found only by keyed hashes.
-- There are no foreign keys between rows that one statement after another of the same transaction writes: they would
-- cost a quarter of an import and find nothing that a test does not.

-- A household: its public state and its profile exactly as their newest facts say them, and its sealed contact.
create table household (
    household_id uuid primary key,
    state jsonb not null,
    profile jsonb not null,
    key_id text not null,
    contact bytea not null,                -- sealed: family card, address, phone, exact point
    pictured_at timestamptz not null,      -- when the newest picture of it was taken, as its sender says
    regency text not null generated always as (left(state ->> 'district', 5)) stored,
    district text not null generated always as (state ->> 'district') stored,
    village text not null generated always as (state ->> 'village') stored,
    status text not null generated always as (state ->> 'status') stored,
    version integer not null generated always as ((state ->> 'version')::integer) stored
) with (fillfactor = 80);

-- What a household is recognised by, besides its head's NIK: hashes of source rows, family cards and reported doors.
create table household_key (
    key bytea primary key,
    household_id uuid not null
);

-- Everybody who is or was on a family card; the rest of the row names nobody.
create table person (
    household_id uuid not null,
    person_id uuid not null,
    role text not null,
    sex text not null,
    birth_year integer,
    nik_status text not null,
    nik_key bytea,                         -- hash of a valid NIK
    status text not null check (status in ('member', 'deceased', 'gone')),
    key_id text not null,
    sealed bytea not null,                 -- name, NIK, birth date
    primary key (household_id, person_id)
);
create index person_by_nik on person (nik_key) where nik_key is not null;

-- Deciles are dated facts with their source; history is kept (rule 4).
create table decile (
    household_id uuid not null,
    period text not null,
    source text not null,
    decile integer not null check (decile between 1 and 10),
    received_at timestamptz not null,
    primary key (household_id, period, source)
);

-- Aid received, by family card: it may be known before its household is (rule 26).
create table enrolment (
    card_key bytea not null,
    programme text not null,
    since date not null,
    until date,
    primary key (card_key, programme, since)
);

-- One identity on two households, or twice on one: a person decides (rule 3).
create table conflict (
    household_id uuid not null,
    other_household_id uuid not null,
    code text not null,
    found_at timestamptz not null,
    primary key (household_id, other_household_id, code)
);

-- Eligibility that a person must look at, and what was decided with which reason (rule 4).
create table review (
    household_id uuid not null,
    programme text not null,
    reason text not null,
    opened_at timestamptz not null,
    decided_at timestamptz,
    decision text check (decision in ('keep', 'end', 'withdrawn')),
    because text,
    primary key (household_id, programme, opened_at),
    check ((decided_at is null) = (decision is null))
);
create unique index review_open on review (household_id, programme) where decided_at is null;

-- What became of provisional households: verified or rejected, once (rule 6).
create table candidate_decision (
    household_id uuid primary key,
    decision text not null check (decision in ('verified', 'rejected')),
    basis text not null,
    decided_at timestamptz not null
);
