-- A row each time: what a depot gets while its goods are being offered is not forgotten with them, and nobody waits.
alter table restocked
    drop constraint restocked_pkey,
    add column restocking bigint generated always as identity primary key;
