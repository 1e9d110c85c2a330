-- The first occasion of a photo is found without reading the others, also of one that is sent for ever.
drop index attempt_by_photo;
create index attempt_by_photo on attempt (photo, happened_at) where photo is not null;
