-- Where a household comes from and where it went: its people get one package a round (rule 15).
alter table household
    add column registered_at timestamptz,          -- null: stored before this was kept
    add column split_from uuid,
    add column merged_into uuid;
create index household_by_merger on household (merged_into) where merged_into is not null;
