-- What other services have said: the newest version of each, only what decisions here look at.
create table household (
    household_id uuid primary key,
    version integer not null,
    regency text not null,
    status text not null,
    left_because text,
    district text not null,
    village text not null,
    latitude double precision,
    longitude double precision,
    programmes text[] not null,
    stored_at timestamptz not null default now()   -- real clock: is the register still coming in?
) with (fillfactor = 70);

create table carer (
    carer_id uuid primary key,
    version integer not null,
    office_id text not null
) with (fillfactor = 70);

create table assignment (
    household_id uuid primary key,
    version integer not null,
    carer_id uuid
) with (fillfactor = 70);
create index assignment_by_carer on assignment (carer_id);

create table pledge (
    pledge_id uuid primary key,
    version integer not null,
    household_id uuid not null,
    giver_id text not null,
    programme text not null,
    period text not null,
    lapsed boolean not null
) with (fillfactor = 70);
create index pledge_by_household on pledge (household_id);

-- An aggregate's row is its public state, as its newest fact says it; what is searched or checked is generated from it.
create table round (
    round_id uuid primary key,
    regency text not null,
    state jsonb not null,
    floor_checked integer not null default 0,      -- percent of the window up to which the floor was looked at
    version integer not null generated always as ((state ->> 'version')::integer) stored,
    status text not null generated always as (state ->> 'status') stored,
    programme text not null generated always as (state ->> 'programme') stored,
    period text not null generated always as (state ->> 'period') stored,
    unique (regency, programme, period)
);

-- Who is to get something: frozen with the round, later only named additions and removals with a reason (rule 15).
create table recipient (
    round_id uuid not null,
    household_id uuid not null,
    district text not null,
    village text not null,
    added_because text,                            -- null: frozen when the round opened
    removed_because text,
    primary key (round_id, household_id)
) with (fillfactor = 90);
create index recipient_by_household on recipient (household_id);

create table surplus_decision (
    round_id uuid not null references round,
    use text not null,
    reason text not null,
    households integer not null,
    decided_at timestamptz not null
);

-- Recipients whose plan must be looked at; `waiting`: nobody can supply them until something changes.
create table to_plan (
    round_id uuid not null,
    household_id uuid not null,
    turn text not null,                            -- village and a hash: an order that is fixed and favours nobody
    waiting boolean not null default false,
    primary key (round_id, household_id)
);
create index to_plan_now on to_plan (round_id, turn) where not waiting;

-- Depots with more free stock than when it was last offered to households whom their carer would supply.
create table restocked (depot_id text primary key);

create table package (
    package_id uuid primary key,
    state jsonb not null,
    account text,                                  -- where its lots' units stand in the ledger; null: nowhere for it
    held_version integer,                          -- version of the household when it was said to have moved away
    round_id uuid not null generated always as ((state ->> 'round_id')::uuid) stored,
    household_id uuid not null generated always as ((state ->> 'household_id')::uuid) stored,
    version integer not null generated always as ((state ->> 'version')::integer) stored,
    status text not null generated always as (state ->> 'status') stored,
    unique (round_id, household_id)                -- one household, one package, one round
) with (fillfactor = 70);

-- What happened at doors; reason null: delivered.
create table attempt (
    package_id uuid not null,
    happened_at timestamptz not null,
    carer_id uuid not null,
    household_id uuid not null,
    reason text,
    latitude double precision,
    longitude double precision,
    photo bytea,
    received_at timestamptz not null,
    primary key (package_id, happened_at)
);
create index attempt_by_carer on attempt (carer_id, happened_at);
create index attempt_by_photo on attempt (photo) where photo is not null;

create table lot (
    lot_id uuid primary key,
    regency text not null,
    state jsonb not null,
    warned boolean not null default false,         -- said to be expiring
    version integer not null generated always as ((state ->> 'version')::integer) stored,
    status text not null generated always as (state ->> 'status') stored,
    item text not null generated always as (state ->> 'item') stored,
    source text not null generated always as (state ->> 'source') stored,
    unit_value bigint not null generated always as ((state ->> 'unit_value')::bigint) stored,
    expires_on text not null generated always as (state ->> 'expires_on') stored
);

-- Depots at which a lot may not move.
create table lot_block (
    lot_id uuid not null references lot,
    depot_id text not null,
    primary key (lot_id, depot_id)
);

create table transfer (
    transfer_id uuid primary key,
    lot_id uuid not null references lot,
    from_depot_id text not null,
    to_depot_id text not null,
    sent bigint not null check (sent > 0),
    received bigint check (received >= 0)
);

-- The ledger (rule 13): units of a lot move from one account to another, so what came in always equals what is somewhere.
create table ledger_entry (
    entry_id bigint generated always as identity primary key,
    lot_id uuid not null,
    units bigint not null check (units > 0),
    from_account text not null,
    from_depot_id text not null,
    to_account text not null,
    to_depot_id text not null,
    cause uuid,                                    -- hash of the submission's source and id, or of the job and its lot
    package_id uuid,
    reverses bigint unique references ledger_entry,
    decided_at timestamptz not null,
    check (cause is not null or package_id is not null),
    check ((from_account, from_depot_id) <> (to_account, to_depot_id))
);
create index ledger_entry_by_lot on ledger_entry (lot_id, to_account);
create index ledger_entry_by_cause on ledger_entry (cause) where package_id is null;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'entries of the ledger are added, never changed';
end
$$;
create trigger ledger_entry_is_final before update or delete or truncate on ledger_entry
    for each statement execute function refuse_change();

-- What the entries add up to; `received` and `found` count what came in, the others what is there.
create table balance (
    lot_id uuid not null references lot,
    depot_id text not null,
    account text not null check (account in ('received', 'found', 'available', 'reserved', 'in_transit',
        'with_holders', 'delivered', 'blocked', 'written_off', 'returned_to_giver')),
    units bigint not null check (units >= 0),
    primary key (lot_id, depot_id, account)
) with (fillfactor = 50);
create index balance_by_depot on balance (depot_id, account);

create table stock_item (
    stock_id uuid primary key,
    depot_id text not null,
    item text not null,
    state jsonb not null,
    unique (depot_id, item)
);
