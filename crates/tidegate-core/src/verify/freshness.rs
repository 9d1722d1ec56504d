//! When was it signed, and is that near enough to now?
//!
//! A timestamp inside the signed text is what turns "this was once sent" into "this was sent just now". The
//! window is explicit on both sides: without a limit for the future, a sender with a wrong clock (or a thief
//! with access to the signing side for one minute) could make requests that stay valid for years.
//!
//! Text is read strictly: decimal digits only, no sign, no leading zero. The strictness is part of the
//! security. Templates such as `{body}{timestamp}` put the two next to each other, and if `0161…` were read
//! like `161…`, a zero could wander from the body into the timestamp without changing the signed bytes.

use http::HeaderName;
use jiff::{SignedDuration, Timestamp};

use super::header;
use super::key::SignError;
use super::refusal::Refusal;

/// How far the signed time may lie from now, in seconds; each limit itself is still accepted.
///
/// The default of five minutes on both sides is what Stripe ("Resolve webhook signature verification errors"),
/// Slack ("Verifying requests from Slack") and the Standard Webhooks libraries use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Greatest age of a signature, in seconds.
    pub past_s: u64,
    /// Greatest distance of a signature into the future, in seconds.
    pub future_s: u64,
}

impl Default for Tolerance {
    fn default() -> Tolerance {
        Tolerance { past_s: 300, future_s: 300 }
    }
}

impl Tolerance {
    /// Refuses a time outside the window around `now`.
    pub(super) fn check(self, signed_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
        let age = now.duration_since(signed_at);
        if age > seconds(self.past_s) {
            let age_s = age.unsigned_abs().as_secs();
            return Err(Refusal::TimestampStale { age_s, tolerance_s: self.past_s });
        }
        if -age > seconds(self.future_s) {
            let ahead_s = age.unsigned_abs().as_secs();
            return Err(Refusal::TimestampInFuture { ahead_s, tolerance_s: self.future_s });
        }
        Ok(())
    }
}

/// The unit of a timestamp in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimestampUnit {
    /// Seconds since 1970, what nearly everybody sends.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// Reads the timestamp that a header carries.
pub(super) fn parse(name: &HeaderName, text: &str, unit: TimestampUnit) -> Result<Timestamp, Refusal> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(header::malformed(name, "has a timestamp that is not made of digits"));
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(header::malformed(name, "has a timestamp with a leading zero"));
    }
    let out_of_range = || header::malformed(name, "has a timestamp beyond the year 9999");
    let number: i64 = text.parse().map_err(|_| out_of_range())?;
    let at = match unit {
        TimestampUnit::Seconds => Timestamp::from_second(number),
        TimestampUnit::Milliseconds => Timestamp::from_millisecond(number),
    };
    at.map_err(|_| out_of_range())
}

/// Writes a timestamp the way [`parse`] reads it; parts of a unit are cut off.
pub(super) fn text(at: Timestamp, unit: TimestampUnit) -> Result<String, SignError> {
    if at < Timestamp::UNIX_EPOCH {
        return Err(SignError::BeforeEpoch);
    }
    Ok(match unit {
        TimestampUnit::Seconds => at.as_second().to_string(),
        TimestampUnit::Milliseconds => at.as_millisecond().to_string(),
    })
}

/// A tolerance beyond what the clock can count is as good as none.
fn seconds(count: u64) -> SignedDuration {
    i64::try_from(count).map_or(SignedDuration::MAX, SignedDuration::from_secs)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use jiff::{SignedDuration, Timestamp};

    use super::{TimestampUnit, Tolerance, parse, text};
    use crate::verify::Refusal;

    static NAME: HeaderName = HeaderName::from_static("x-timestamp");

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn both_limits_are_accepted_and_one_nanosecond_more_is_not() {
        let (now, tolerance) = (at(1_700_000_000), Tolerance { past_s: 300, future_s: 60 });
        let nano = SignedDuration::from_nanos(1);
        assert_eq!(tolerance.check(at(1_699_999_700), now), Ok(()));
        assert_eq!(tolerance.check(at(1_700_000_060), now), Ok(()));
        assert_eq!(
            tolerance.check(at(1_699_999_700) - nano, now),
            Err(Refusal::TimestampStale { age_s: 300, tolerance_s: 300 })
        );
        assert_eq!(
            tolerance.check(at(1_700_000_060) + nano, now),
            Err(Refusal::TimestampInFuture { ahead_s: 60, tolerance_s: 60 })
        );
    }

    #[test]
    fn zero_tolerance_means_this_very_moment() {
        let tolerance = Tolerance { past_s: 0, future_s: 0 };
        assert_eq!(tolerance.check(at(5), at(5)), Ok(()));
        assert!(tolerance.check(at(4), at(5)).is_err());
        assert!(tolerance.check(at(6), at(5)).is_err());
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        let tolerance = Tolerance { past_s: u64::MAX, future_s: u64::MAX };
        assert_eq!(tolerance.check(Timestamp::MIN, Timestamp::MAX), Ok(()));
        assert_eq!(tolerance.check(Timestamp::MAX, Timestamp::MIN), Ok(()));
    }

    #[test]
    fn reads_plain_digits_only() {
        assert_eq!(parse(&NAME, "0", TimestampUnit::Seconds), Ok(Timestamp::UNIX_EPOCH));
        assert_eq!(parse(&NAME, "1614265330", TimestampUnit::Seconds), Ok(at(1_614_265_330)));
        assert_eq!(parse(&NAME, "1614265330000", TimestampUnit::Milliseconds), Ok(at(1_614_265_330)));
        for refused in [
            "",
            "-1",
            "+1",
            " 1",
            "1 ",
            "01",
            "00",
            "1.0",
            "1e9",
            "0x1",
            "१",
            "1_000",
            "253402300800",
            "9223372036854775807",
            "9223372036854775808",
            "99999999999999999999999",
        ] {
            assert!(parse(&NAME, refused, TimestampUnit::Seconds).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for unit in [TimestampUnit::Seconds, TimestampUnit::Milliseconds] {
            let written = text(at(1_614_265_330), unit).unwrap();
            assert_eq!(parse(&NAME, &written, unit), Ok(at(1_614_265_330)));
        }
        assert!(text(at(-1), TimestampUnit::Seconds).is_err());
    }
}
