-- A carer: the public state as its newest fact says it, and who it is, sealed.
create table carer (
    carer_id uuid primary key,
    state jsonb not null,
    key_id text not null,
    sealed bytea not null,                 -- name, NIK, NIP, birth date, phone, exact home
    status text not null generated always as (state ->> 'status') stored,
    employment text not null generated always as (state ->> 'employment') stored,
    office_id text not null generated always as (state ->> 'office_id') stored
) with (fillfactor = 80);

-- What a carer is recognised by: hashes of source rows, NIP and NIK.
create table carer_key (
    key bytea primary key,
    carer_id uuid not null
);

-- Hashes by which a carer's own and relatives' households are found, whichever is registered first (rule 8).
-- Own cards and relatives' cards are hashed differently: which is which cannot be read here.
create table carer_tie (
    key bytea not null,
    carer_id uuid not null,
    primary key (key, carer_id)
);
create index carer_tie_by_carer on carer_tie (carer_id);
