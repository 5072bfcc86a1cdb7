use std::task::Context;

use thread_priority::{NormalThreadSchedulePolicy::Idle, thread_schedule_policy};

use super::*;

const BUDGET: Duration = Duration::from_secs(10);

/// The class of the thread that this runs on.
fn is_idle() -> bool {
    matches!(thread_schedule_policy(), Ok(ThreadSchedulePolicy::Normal(Idle)))
}

/// A stretch of a guest that takes `time`, in which it does not compute.
fn stretch(meter: &Meter, time: Duration) {
    let _running = meter.stretch();
    std::thread::sleep(time);
}

/// Asks for the next poll, as a guest does that yields.
fn yielded<T>(cx: &Context<'_>) -> Poll<T> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

fn meter() -> Arc<Meter> {
    Arc::new(Meter::new(BUDGET, Instant::now()))
}

#[tokio::test]
async fn who_computes_for_long_runs_only_while_nobody_else_does() {
    let (aside, habit, meter) = (Aside::start().expect("threads"), Habit::default(), meter());
    let its = Arc::clone(&meter);
    let mut classes = Vec::new();
    let call = poll_fn(move |cx| {
        classes.push(is_idle());
        if classes.len() == 2 {
            return Poll::Ready(classes.clone());
        }
        let _running = its.stretch();
        while its.spent() < LONG {}
        yielded(cx)
    });
    assert_eq!(aside.run(&habit, &meter, Box::pin(call)).await, [false, true]);
    // From then on its calls begin there.
    assert!(aside.run(&habit, &meter, Box::pin(async { is_idle() })).await);
    assert!(!is_idle());
}

#[tokio::test]
async fn who_gets_no_processor_there_goes_on_elsewhere() {
    let (aside, habit, meter) = (Aside::start().expect("threads"), Habit::default(), meter());
    habit.note();
    let its = Arc::clone(&meter);
    let mut classes = Vec::new();
    let call = poll_fn(move |cx| {
        classes.push(is_idle());
        match classes.len() {
            1 => stretch(&its, STARVED / 2),
            2 => stretch(&its, STARVED),
            _ => return Poll::Ready(classes.clone()),
        }
        yielded(cx)
    });
    assert_eq!(aside.run(&habit, &meter, Box::pin(call)).await, [true, true, false]);
    // So does everyone else for a while.
    assert!(!aside.run(&habit, &meter, Box::pin(async { is_idle() })).await);
}

#[tokio::test]
async fn whose_calls_are_quick_again_comes_back() {
    let (aside, habit) = (Aside::start().expect("threads"), Habit::default());
    habit.note();
    for _ in 0..FORGIVEN {
        assert!(aside.run(&habit, &meter(), Box::pin(async { is_idle() })).await);
    }
    assert!(!aside.run(&habit, &meter(), Box::pin(async { is_idle() })).await);
    // A long one among them, and it begins anew.
    habit.note();
    assert!(aside.run(&habit, &meter(), Box::pin(async { is_idle() })).await);
    let long = meter();
    let spent = Arc::clone(&long);
    let call = async move {
        let _running = spent.stretch();
        while spent.spent() < LONG {}
    };
    aside.run(&habit, &long, Box::pin(call)).await;
    for _ in 0..FORGIVEN {
        assert!(aside.run(&habit, &meter(), Box::pin(async { is_idle() })).await);
    }
    assert!(!aside.run(&habit, &meter(), Box::pin(async { is_idle() })).await);
}
