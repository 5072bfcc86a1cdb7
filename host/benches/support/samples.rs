//! Criterion, and the figures that the ratios are made from.

use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::Criterion;

/// Results go to the target folder, wherever that is; criterion alone would guess, and guess wrong.
pub(crate) fn criterion() -> Criterion {
    let results = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
    Criterion::default().output_directory(&results).configure_from_args()
}

/// The mean of each of criterion's samples.
#[derive(Default)]
pub(crate) struct Samples(RefCell<Vec<Duration>>);

impl Samples {
    pub(crate) fn time(&self, iterations: u64, mut once: impl FnMut()) -> Duration {
        let begun = Instant::now();
        (0..iterations).for_each(|_| once());
        let elapsed = begun.elapsed();
        self.0.borrow_mut().push(elapsed / u32::try_from(iterations).expect("criterion takes fewer samples"));
        elapsed
    }

    /// In microseconds. NaN where a filter left this benchmark out.
    pub(crate) fn median(&self) -> f64 {
        let mut samples = self.0.borrow_mut();
        samples.sort();
        samples.get(samples.len() / 2).map_or(f64::NAN, |median| median.as_secs_f64() * 1e6)
    }
}
