//! What every back end must do: one function per rule, run by each of them on a fresh store.
//!
//! A further back end adds one function that makes a [`Subject`] and one `suite!` line.

mod sample;
mod submit;
mod claim;
mod lease;
mod journal;
mod events;
mod progress;
mod cancel;
mod postpone;
mod expire;
mod reap;
mod gc;
mod delete;
mod list;
mod queue;
mod rate;
mod upkeep;
mod crowd;
mod model;
#[allow(dead_code, reason = "each of the crates that include this uses a part of it")]
#[path = "../../tests/support/redis_server.rs"]
pub(super) mod redis_server;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use redis_server::{RedisCluster, RedisSentinel, RedisServer};

pub(super) use sample::spec;

use super::{Clock, Fsync, MemoryStore, RedisConfig, RedisStore, SqliteStore, Store};

/// A store of its own for each rule, on a clock that the rule moves.
struct Subject {
    store: Arc<dyn Store>,
    clock: Clock,
    /// Deleted after the store has closed: fields are dropped in order.
    _folder: Option<tempfile::TempDir>,
}

/// A moment in 2026, in milliseconds.
const START: u64 = 1_780_000_000_000;

async fn memory() -> Subject {
    let clock = Clock::manual(START);
    Subject { store: Arc::new(MemoryStore::new(clock.clone())), clock, _folder: None }
}

async fn sqlite() -> Subject {
    let (clock, folder) = (Clock::manual(START), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("store.db");
    let store = SqliteStore::open_with(&path, Fsync::Always, clock.clone()).expect("a new store");
    Subject { store: Arc::new(store), clock, _folder: Some(folder) }
}

/// A store of its own on a server that all rules share.
async fn on_redis(url: &str) -> Subject {
    static STORES: AtomicU32 = AtomicU32::new(0);
    let prefix = format!("store{}", STORES.fetch_add(1, Ordering::Relaxed));
    let clock = Clock::manual(START);
    let config = RedisConfig { prefix, ..RedisConfig::new(url) };
    let store = RedisStore::open_with(config, clock.clone()).await.expect("a new store");
    Subject { store: Arc::new(store), clock, _folder: None }
}

async fn redis() -> Subject {
    static SERVER: LazyLock<RedisServer> = LazyLock::new(|| RedisServer::start(""));
    on_redis(&SERVER.url()).await
}

async fn redis_cluster() -> Subject {
    static CLUSTER: LazyLock<RedisCluster> = LazyLock::new(RedisCluster::start);
    on_redis(&CLUSTER.url()).await
}

async fn redis_sentinel() -> Subject {
    static GUARDED: LazyLock<RedisSentinel> = LazyLock::new(RedisSentinel::start);
    on_redis(&GUARDED.url()).await
}

macro_rules! suite {
    ($($backend:ident)*) => { $(
        mod $backend {
            suite! { @rooms $backend
                submit: a_new_task_is_queued a_key_makes_one_task a_key_with_another_body_is_refused
                    a_key_is_forgotten_after_a_day the_same_id_again_is_a_repetition
                    another_task_under_the_same_id_is_refused
                    many_are_queued_in_their_order each_of_many_is_taken_or_refused_on_its_own
                    many_again_are_repetitions more_than_one_go_takes;
                claim: an_empty_queue_gives_nothing the_longest_waiting_comes_first a_claim_fills_the_record
                    a_repeated_claim_gives_the_same_lease a_repeated_claim_extends_the_lease
                    a_claim_repeated_after_its_lease_is_a_new_one another_nonce_gets_another_task
                    a_claim_that_lost_its_lease_has_no_right_to_the_next
                    a_nonce_is_its_workers_own a_finished_claim_is_not_given_again
                    fences_follow_the_clock_and_always_grow a_second_claim_says_so;
                lease: a_heartbeat_gives_a_full_term_from_now an_overdue_lease_holds_until_it_is_reaped
                    a_reclaimed_task_refuses_the_old_fence a_reaped_task_refuses_the_old_fence
                    a_released_task_refuses_the_old_fence a_finished_task_refuses_its_fence
                    a_cancelled_task_refuses_a_released_fence a_fence_that_was_never_given_is_refused
                    an_unknown_task_is_a_lost_lease;
                journal: entries_come_back_in_order the_same_entry_again_is_harmless
                    another_entry_at_a_used_index_is_refused a_gap_is_refused the_next_holder_sees_it
                    there_is_none_for_an_unknown_task;
                events: ids_have_no_gaps_over_all_verbs they_come_in_pages emit_returns_the_last_id
                    emitting_nothing_changes_nothing the_last_of_each_is_known there_are_none_for_an_unknown_task
                    they_come_back_as_they_were;
                progress: a_commit_replaces_the_workers_part_only a_repeated_commit_is_harmless
                    a_commit_after_another_is_not_a_repetition a_commit_ignores_an_outcome
                    another_tasks_record_is_refused finish_ends_the_task finish_needs_an_outcome
                    a_repeated_finish_is_harmless a_finish_is_not_repeated_by_another_fence
                    a_release_goes_to_the_front a_repeated_release_is_harmless
                    a_release_after_a_cancel_ends_the_task;
                cancel: a_queued_task_ends_here_and_now a_running_task_is_told_by_its_heartbeat
                    asking_twice_is_harmless an_ended_task_stays_as_it_is an_unknown_task_is_not_found
                    a_green_end_outruns_a_cancel a_requeued_task_ends_with_its_best_tree;
                postpone: it_waits_and_goes_on_from_its_journal it_takes_its_turn_behind_the_others
                    repeating_it_is_harmless a_cancelled_one_ends one_that_waits_can_be_cancelled
                    it_waits_no_longer_than_a_week
                    a_lost_lease_postpones_nothing a_crash_later_keeps_what_it_waited_for
                    a_requeued_task_has_not_waited;
                expire: what_waits_ends_at_its_deadline what_runs_is_left_to_its_worker
                    the_earliest_deadlines_go_first_and_many_in_slices paused_and_delayed_tasks_end_too
                    a_requeued_task_ends_again what_has_ended_is_left_alone;
                reap: living_leases_are_left_alone a_lost_task_goes_to_the_front several_come_in_order
                    the_third_crash_ends_the_task without_log_lines_it_says_so
                    a_release_does_not_count_as_a_crash a_cancelled_task_ends_instead;
                gc: young_and_living_tasks_stay an_old_task_goes_with_all_that_is_its
                    an_old_blob_without_a_task_goes snapshots_and_their_files_stay
                    the_blobs_of_a_deleted_task_go storing_again_keeps_a_blob;
                list: pages_are_newest_first filters_hold_together a_state_is_found_among_many_of_another text_ignores_case
                    a_page_has_a_limit wildcards_are_plain_text how_and_with_what_a_task_was_done
                    when_a_task_was_submitted a_count_is_of_all_pages what_has_ended_is_told_newest_first;
                delete: an_ended_task_goes_with_all_that_is_its what_waits_or_runs_stays
                    its_blobs_go_with_the_next_gc;
                queue: a_higher_priority_comes_first tenants_take_turns a_released_task_is_its_tenants_next
                    a_task_waits_for_its_time a_delayed_task_can_be_cancelled a_paused_queue_is_left_alone
                    limits_hold_tasks_back a_full_queue_refuses a_dead_task_is_listed_and_requeued
                    a_cancelled_task_can_be_requeued only_what_has_ended_and_is_not_green_is_requeued
                    a_requeued_task_refuses_its_old_fence cancels_are_told_while_the_task_runs
                    workers_come_and_go;
                rate: requests_come_at_their_pace tokens_are_settled
                    a_large_request_gets_its_turn_among_small_ones;
                upkeep: stats_count_by_state a_watch_wakes_after_a_change blobs_come_back
                    fsck_finds_nothing_in_a_sound_store fsck_finds_a_missing_snapshot
                    fsck_finds_a_missing_file fsck_finds_a_snapshot_that_is_none;
                crowd: no_task_is_claimed_twice one_nonce_gets_one_task one_key_makes_one_task
                    events_of_many_writers_have_no_gaps only_one_finish_counts;
            }
        }
    )* };
    (@rooms $backend:ident $($room:ident: $($rule:ident)*;)*) => { $(
        mod $room { $(
            #[tokio::test]
            async fn $rule() {
                crate::store::conformance::$room::$rule(&crate::store::conformance::$backend().await).await;
            }
        )* }
    )* };
}

suite! { memory sqlite redis redis_cluster redis_sentinel }
