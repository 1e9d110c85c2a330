-- What partners have promised (rule 12).

create table promise (
    promise_id uuid primary key,
    regency text not null,
    giver_id text not null,
    programme text not null,
    period text not null,
    village text,                         -- null: households were named
    packages integer not null
);

create table pledge (
    pledge_id uuid primary key,
    promise_id uuid not null references promise,
    regency text not null,
    state jsonb not null,
    lapses_at timestamptz not null,
    household_id uuid not null generated always as ((state ->> 'household_id')::uuid) stored,
    programme text not null generated always as (state ->> 'programme') stored,
    period text not null generated always as (state ->> 'period') stored,
    status text not null generated always as (state ->> 'status') stored
);
create index pledge_by_promise on pledge (promise_id);
create index pledge_lapsing on pledge (lapses_at) where status = 'pledged';
-- One promise for a household's package, whatever comes in the same second.
create unique index pledge_once on pledge (household_id, programme, period) where status in ('pledged', 'confirmed');
