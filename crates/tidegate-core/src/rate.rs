//! Rate limits: GCRA, the leaky bucket that needs one number per key.
//!
//! The generic cell rate algorithm (ITU-T I.371) keeps the theoretical arrival time of the next
//! request. A request is admitted while that time is at most one burst ahead of now; otherwise the
//! caller learns how long to wait. Time is an argument, so a limiter is a plain value.

use std::time::Duration;

/// So many requests in a period, with a burst on top of the steady flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    interval_ns: u64,
    burst: u32,
}

impl Rate {
    /// Reads `100/s`, `600/m` or `5000/h`; a burst of one second's worth, and at least one, goes
    /// with it unless [`Rate::with_burst`] says otherwise.
    ///
    /// ```
    /// use tidegate_core::rate::Rate;
    /// assert!(Rate::parse("100/s").is_some());
    /// assert!(Rate::parse("100").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (count, period) = text.split_once('/')?;
        let count: u32 = count.trim().parse().ok().filter(|&n| n > 0)?;
        let period_s: u64 = match period.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => return None,
        };
        let interval_ns = (period_s * 1_000_000_000 / u64::from(count)).max(1);
        let per_second = u32::try_from(u64::from(count) / period_s).unwrap_or(u32::MAX);
        Some(Self { interval_ns, burst: per_second.max(1) })
    }

    /// The same flow with another burst, in requests; at least one.
    #[must_use]
    pub fn with_burst(self, burst: u32) -> Self {
        Self { burst: burst.max(1), ..self }
    }
}

/// The state of one limited key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limiter {
    theoretical_arrival_ns: u64,
}

impl Limiter {
    /// Admits a request at `now_ns` (nanoseconds on any monotonic clock) or says how long to wait.
    ///
    /// # Errors
    /// The time after which one request would be admitted.
    pub fn admit(&mut self, rate: &Rate, now_ns: u64) -> Result<(), Duration> {
        let tolerance_ns = rate.interval_ns.saturating_mul(u64::from(rate.burst - 1));
        let arrival_ns = self.theoretical_arrival_ns.max(now_ns);
        let ahead_ns = arrival_ns - now_ns;
        if ahead_ns > tolerance_ns {
            return Err(Duration::from_nanos(ahead_ns - tolerance_ns));
        }
        self.theoretical_arrival_ns = arrival_ns.saturating_add(rate.interval_ns);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    #[test]
    fn a_burst_passes_and_then_the_steady_flow() {
        let rate = Rate::parse("10/s").unwrap();
        let mut limiter = Limiter::default();
        let admitted = (0..100).filter(|_| limiter.admit(&rate, SECOND_NS).is_ok()).count();
        assert_eq!(admitted, 10);
        let wait = limiter.admit(&rate, SECOND_NS).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert!(limiter.admit(&rate, SECOND_NS + 100_000_000).is_ok());
        assert!(limiter.admit(&rate, SECOND_NS + 100_000_001).is_err());
    }

    #[test]
    fn an_idle_key_never_saves_up_more_than_its_burst() {
        let rate = Rate::parse("60/m").unwrap().with_burst(3);
        let mut limiter = Limiter::default();
        let later = 3_600 * SECOND_NS;
        assert_eq!((0..10).filter(|_| limiter.admit(&rate, later).is_ok()).count(), 3);
    }

    #[test]
    fn nonsense_is_no_rate() {
        for text in ["", "/", "0/s", "-1/s", "1/d", "1.5/s", "s/1", "99999999999/s"] {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
    }
}
