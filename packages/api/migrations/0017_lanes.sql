-- Values of two labels could make one lane: in it one task hid behind those of another value that a limit holds back. So all is sorted
-- into lanes anew. What is left of that is noted here, where earlier versions do not look, who would sort into the lanes of before and write
-- it down in regroup_after. By the default, limits that they make are seen to as well.
alter table limits add lanes_after uuid default '00000000-0000-0000-0000-000000000000';  -- tasks up to this one have their lane; null: all
update limits set lanes_after = null where key not like 'label:%';
