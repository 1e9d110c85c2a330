-- Rows come in any order, and an older one undoes no newer one: when each was so, as its sender says. What was kept
-- before this is older than everything.
alter table carer add column stated_at timestamptz not null default 'epoch';
alter table enrolment add column stated_at timestamptz not null default 'epoch';
alter table decile add column stated_at timestamptz not null default 'epoch';
alter table household add column decile_stated_at timestamptz not null default 'epoch';
