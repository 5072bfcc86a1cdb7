//! What the tasks of the last days have come to.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::extract::Query;
use super::heavy::off_thread;
use super::{Api, Problem};
use crate::store::{Past, Pasts};
use crate::task::{Millis, now};

/// Ended tasks that one overview adds up.
const MOST: usize = 100_000;

const DAY: Millis = 24 * 60 * 60 * 1000;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct OverviewQuery {
    /// 1 to 90; 14 if left out. Today counts.
    #[param(minimum = 1, maximum = 90)]
    days: Option<u64>,
}

#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub(super) struct Overview {
    /// The oldest day first; a day, pipeline and model without an ended task is left out.
    days: Vec<Day>,
    /// Older tasks were left out, since there are too many.
    truncated: bool,
}

/// The tasks that ended on one day, by pipeline and model.
#[derive(Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub(super) struct Day {
    /// In UTC, such as `2026-11-30`.
    day: String,
    pipeline: String,
    /// Absent where the pipeline names none.
    model: Option<String>,
    ended: u64,
    green: u64,
    input_tokens: u64,
    output_tokens: u64,
    /// Of the tasks whose price is known.
    cost_micros: u64,
    /// Tasks that asked a model without a price.
    unpriced: u64,
    /// Of the green ones, from the first step to the end: half of them took no longer.
    to_green_ms_p50: Option<u64>,
    /// Nine of ten took no longer.
    to_green_ms_p90: Option<u64>,
}

/// What the tasks of the last days have come to, by day, pipeline and model.
#[utoipa::path(get, path = "/api/v1/overview", params(OverviewQuery),
               responses((status = 200, body = Overview), (status = 400, body = Problem)))]
pub(super) async fn overview(
    State(api): State<Api>,
    Query(query): Query<OverviewQuery>,
) -> Result<Json<Overview>, Problem> {
    let days = query.days.unwrap_or(14);
    if !(1..=90).contains(&days) {
        return Err(Problem::bad_request(format!("days is {days}; use 1 to 90")));
    }
    let since = (now() / DAY + 1).saturating_sub(days) * DAY;
    let past = api.store.past(since, MOST).await?;
    Ok(Json(off_thread(move || Ok(by_day(past))).await?))
}

fn by_day(past: Pasts) -> Overview {
    let mut groups: BTreeMap<(Millis, String, Option<String>), Vec<Past>> = BTreeMap::new();
    for task in past.tasks {
        let group = (task.ended_at / DAY, task.pipeline.clone(), task.model.clone());
        groups.entry(group).or_default().push(task);
    }
    let days = groups.into_iter().map(|((day, pipeline, model), tasks)| add_up(day, pipeline, model, &tasks));
    Overview { days: days.collect(), truncated: past.truncated }
}

fn add_up(day: u64, pipeline: String, model: Option<String>, tasks: &[Past]) -> Day {
    let sum = |part: fn(&Past) -> u64| tasks.iter().map(part).fold(0, u64::saturating_add);
    let green = tasks.iter().filter(|task| task.green);
    let mut took: Vec<u64> =
        green.filter_map(|task| Some(task.ended_at.saturating_sub(task.started_at?))).collect();
    took.sort_unstable();
    // The nearest rank.
    let percentile =
        |percent: usize| took.get((took.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    Day {
        day: date(day),
        pipeline,
        model,
        ended: tasks.len() as u64,
        green: sum(|task| u64::from(task.green)),
        input_tokens: sum(|task| task.input_tokens),
        output_tokens: sum(|task| task.output_tokens),
        cost_micros: sum(|task| task.cost_micros.unwrap_or(0)),
        unpriced: sum(|task| u64::from(task.cost_micros.is_none())),
        to_green_ms_p50: percentile(50),
        to_green_ms_p90: percentile(90),
    }
}

/// The date so many days after 1970-01-01, in the Gregorian calendar.
///
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>: years begin in March, so that
/// the day that comes and goes is a year's last.
fn date(days: u64) -> String {
    let days = days + 719_468; // since 0000-03-01
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_787, "2026-11-30"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(days), expected);
        }
    }

    #[test]
    fn tasks_add_up_by_day_pipeline_and_model() {
        let past = |day: u64, model: &str, took: u64, cost_micros: Option<u64>| Past {
            ended_at: day * DAY + took,
            started_at: Some(day * DAY),
            pipeline: "default".to_owned(),
            model: Some(model.to_owned()),
            green: took < 1_000,
            input_tokens: 10,
            output_tokens: 1,
            cost_micros,
        };
        let never_began = Past { started_at: None, ..past(1, "small", 5_000, Some(0)) };
        let mut tasks: Vec<Past> = (1..=10).map(|took| past(1, "small", took, Some(2))).collect();
        tasks.extend([
            never_began,
            past(1, "small", 1_000, None),
            past(1, "large", 7, None),
            past(0, "small", 1, None),
        ]);
        let overview = by_day(Pasts { tasks, truncated: true });
        let day = |day: &str, model: &str, ended, green, cost_micros, unpriced| Day {
            day: day.to_owned(),
            pipeline: "default".to_owned(),
            model: Some(model.to_owned()),
            ended,
            green,
            input_tokens: ended * 10,
            output_tokens: ended,
            cost_micros,
            unpriced,
            ..Day::default()
        };
        let took = |p50, p90, day| Day { to_green_ms_p50: p50, to_green_ms_p90: p90, ..day };
        assert_eq!(
            overview.days,
            [
                took(Some(1), Some(1), day("1970-01-01", "small", 1, 1, 0, 1)),
                took(Some(7), Some(7), day("1970-01-02", "large", 1, 1, 0, 1)),
                took(Some(5), Some(9), day("1970-01-02", "small", 12, 10, 20, 1)),
            ]
        );
        assert!(overview.truncated);
        assert_eq!(add_up(1, String::new(), None, &[past(1, "small", 9_999, None)]).to_green_ms_p50, None);
    }
}
