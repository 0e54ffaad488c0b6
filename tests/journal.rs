//! The journal on real files: what is written comes back, whatever happens to the files between.
//!
//! Every fault that the journal has to stand, and the tests that play it. `volume`, `kill`, `recorder`,
//! `tools` and `laws` are other binaries beside this one; most of those run the real program.
//!
//! | | fault | tests |
//! |---|---|---|
//! | 1 | kill -9 at any moment | `kill`; `faults::a_process_that_ends_at_any_step_keeps_what_it_acknowledged` |
//! | 2 | the last segment cut at every byte | `damage::a_segment_cut_anywhere_in_its_last_three_records_gives_the_records_before` |
//! | 3 | every single bit flipped | `damage::a_flipped_bit_costs_at_most_the_record_that_it_hits` |
//! | 4 | a zeroed block in the middle | `damage::a_zeroed_block_costs_what_stood_in_it`, `damage::a_lost_event_below_the_durable_watermark_is_called_a_loss` |
//! | 5 | a power cut | `power` |
//! | 6 | length without data | `crafted::data_that_never_reached_the_disk_is_a_clean_end` |
//! | 7 | stale records of other segments | `crafted::records_of_another_segment_behind_the_end_are_not_read` |
//! | 8 | an end between any two steps of rotation, wipe, retiring | `faults::a_wipe_that_ends_at_any_step_is_done_or_not_begun`, `faults::a_process_that_ends_at_any_step_keeps_what_it_acknowledged`, `retention::a_process_that_ends_at_any_step_of_retiring_leaves_a_journal`, `power` |
//! | 9 | an end during recovery | `starts::a_start_that_dies_at_any_step_leaves_every_segment_as_it_was` |
//! | 10 | both copies of a header lost | `damage::a_lost_header_is_made_up_for_by_the_name` |
//! | 11 | one copy lost, copies that disagree | `crafted::the_first_whole_copy_of_the_header_counts` |
//! | 12 | another version | `damage::files_that_are_no_part_of_the_journal_are_reported_and_left_alone` |
//! | 13 | unknown kinds | `crafted::kinds_that_must_be_understood_are_told`; `views::fold` |
//! | 14 | a payload that cannot be decoded | `laws::a_payload_that_is_a_bomb_is_refused`; `views::fold` |
//! | 15 | a fold that panics | `views::fold::a_bug_in_the_fold_costs_one_record_and_names_it` |
//! | 16 | starts that die in one segment | `starts::a_segment_that_starts_died_in_is_read_with_care_and_then_skipped_and_never_touched` |
//! | 17 | every length that a header can claim | `crafted::every_length_that_a_header_can_claim_has_its_meaning` |
//! | 18 | a record that is too large | `basics::what_cannot_be_recorded_is_refused_before_anything_is_written` |
//! | 19 | segments missing, renamed, twice, swapped | `damage::a_missing_segment_is_a_reported_loss`, `crafted::what_a_header_says_counts_whatever_the_file_is_called` |
//! | 20 | files that are no segments, starts that write nothing | `damage::files_that_are_no_part_of_the_journal_are_reported_and_left_alone`, `starts::a_hundred_starts_without_an_append_leave_no_new_file` |
//! | 21 | a volume that fills up | `volume`; `retention::a_full_volume_loses_its_oldest_segments_to_new_events`, `spare::a_full_volume_goes_on_in_the_spare` |
//! | 22 | a start on a full volume | `volume`; `retention::a_volume_that_is_full_at_the_start_makes_room` |
//! | 23 | a wipe of a full volume | `volume`; `faults::a_wipe_works_on_a_full_volume` |
//! | 24 | short and interrupted writes | `faults::short_and_interrupted_writes_go_on`, `faults::a_failed_write_records_nothing_and_the_next_one_goes_on_elsewhere` |
//! | 25 | a sync that fails | `faults::a_failed_sync_writes_again_elsewhere_and_then_acknowledges`, `faults::a_failed_sync_at_the_start_writes_the_tail_again` |
//! | 26 | a page that cannot be read | `unreadable` |
//! | 27 | a file cut short under its map | `unreadable::a_file_cut_short_under_its_map_costs_what_stood_behind_the_cut`; `volume` |
//! | 28 | files removed under the writer | `removed`; `volume` |
//! | 29 | a volume that turns read-only | `volume` |
//! | 30 | a second process | `basics::a_second_writer_is_kept_out`; `volume` |
//! | 31 | no allocation, no maps | `journal::fs`; `faults::without_maps_everything_works_from_memory` |
//! | 32 | clocks | `extremes::times_of_any_kind_order_nothing_and_harm_nothing`, `retention::a_clock_that_is_set_makes_nothing_old` |
//! | 33 | wipe and retiring during a download | `backups::a_wipe_does_no_harm_to_a_download_under_way`, `retention::blocks_that_a_reader_still_holds_are_not_asked_for_twice`; `volume` |
//! | 34 | a backup while appending | `backups::its_bytes_do_not_depend_on_when_it_is_taken`, `backups::a_backup_answers_like_the_journal_at_that_moment`, `together` |
//! | 35 | a backup damaged or cut on its way | `extremes::a_backup_with_a_flipped_bit_loses_one_record_and_a_torn_one_its_end`; `tools` |
//! | 36 | a journal larger than memory | `volume` |
//! | 37 | journals of other versions | `golden`, `damage::files_that_are_no_part_of_the_journal_are_reported_and_left_alone` |
//! | 38 | very many, very large, no records | `extremes::very_many_tiny_records_and_one_of_the_largest_and_none` |
//! | 39 | SIGTERM while a commit is under way | `volume`; `recorder` |
//! | 40 | the law of numbers | `support::check_law`, called by nearly all of them |

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

#[path = "journal/support.rs"]
mod support;

#[path = "journal/faulty.rs"]
mod faulty;

#[path = "journal/basics.rs"]
mod basics;

#[path = "journal/damage.rs"]
mod damage;

#[path = "journal/sim_fs.rs"]
mod sim_fs;

#[path = "journal/power.rs"]
mod power;

#[path = "journal/bytes.rs"]
mod bytes;

#[path = "journal/crafted.rs"]
mod crafted;

#[path = "journal/extremes.rs"]
mod extremes;

#[path = "journal/unreadable.rs"]
mod unreadable;

#[path = "journal/starts.rs"]
mod starts;

#[path = "journal/faults.rs"]
mod faults;

#[path = "journal/retention.rs"]
mod retention;

#[path = "journal/spare.rs"]
mod spare;

#[path = "journal/removed.rs"]
mod removed;

#[path = "journal/backups.rs"]
mod backups;

#[path = "journal/together.rs"]
mod together;

#[path = "journal/index.rs"]
mod index;

#[path = "journal/golden.rs"]
mod golden;

#[path = "journal/stranger.rs"]
mod stranger;

#[path = "journal/laws.rs"]
mod laws;
