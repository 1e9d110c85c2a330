-- Identity conflicts that a person must decide (rule 3), each pair once: while both households are served and, of a NIK,
-- while people of both still have it. What corrects one (a newer card, a death, a split, a departure) ends it.
create view open_conflict as
select conflict.household_id, conflict.other_household_id, conflict.code, conflict.found_at,
    household.regency, household.district
from conflict
join household using (household_id)
join household as other on other.household_id = conflict.other_household_id
where conflict.household_id <= conflict.other_household_id
    and household.status = 'registered' and other.status = 'registered'
    and (conflict.code = 'card_on_two_households' or exists (
        select from person as one
        join person as two on two.nik_key = one.nik_key and two.person_id <> one.person_id
        where one.household_id = conflict.household_id and one.status = 'member'
            and two.household_id = conflict.other_household_id and two.status = 'member'
    ));
