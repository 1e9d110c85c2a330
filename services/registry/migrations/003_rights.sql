-- Who may read a household's name and address, from the facts of others, and who did (rule 27).

-- The one active carer of a household.
create table assigned (
    household_id uuid primary key,
    version integer not null,
    carer_id uuid                          -- null: unserved, or ended
) with (fillfactor = 80);

-- Which office has a case on a household.
create table office_case (
    case_id uuid primary key,
    version integer not null,
    household_id uuid not null,
    office_id text not null,
    is_open boolean not null
) with (fillfactor = 80);
create index office_case_open on office_case (household_id) where is_open;

-- Every attempt to read an identity, granted or not, written before the answer leaves.
create table vault_read (
    read_id bigint generated always as identity primary key,
    household_id uuid not null,
    reader text not null,                  -- subject of the token
    purpose text not null check (purpose in ('visit', 'case', 'audit')),
    granted boolean not null,
    read_at timestamptz not null default now()
);
