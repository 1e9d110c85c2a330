-- Households and carers as the register knows them, without anything that names a person; identities are in the vault.

-- An aggregate's row is its public state, as its newest fact says it; what is searched or checked is generated from it.
create table household (
    household_id uuid primary key,
    state jsonb not null,
    regency text not null generated always as (left(state ->> 'district', 5)) stored,
    version integer not null generated always as ((state ->> 'version')::integer) stored,
    status text not null generated always as (state ->> 'status') stored,
    village text not null generated always as (state ->> 'village') stored
) with (fillfactor = 70);

create index household_by_village on household (regency, village);

-- What a household can be recognised by: a keyed hash of its source row, of its family card, of its head's valid NIK.
create table household_key (
    kind text not null check (kind in ('source', 'family_card', 'head_nik')),
    key bytea not null,
    household_id uuid not null references household,
    primary key (kind, key)
);

create index household_key_by_household on household_key (household_id);

-- Deciles are dated facts with their source; history is kept (rule 4).
create table decile (
    household_id uuid not null references household,
    period text not null,
    source text not null,
    decile integer not null check (decile between 1 and 10),
    received_at timestamptz not null,
    primary key (household_id, period, source)
);

-- One row a person: who they are is one ciphertext (AES-256-GCM), the rest names nobody.
create table person (
    person_id uuid primary key,
    household_id uuid not null references household,
    role text not null,
    sex text not null,
    birth_year integer,
    nik_key bytea,
    alive boolean not null default true,
    key_id text not null,
    sealed bytea not null
);

create index person_by_household on person (household_id);
create index person_by_nik on person (nik_key) where nik_key is not null;

-- Where a household lives exactly and how to reach it: one ciphertext.
create table household_contact (
    household_id uuid primary key references household,
    key_id text not null,
    sealed bytea not null
);
