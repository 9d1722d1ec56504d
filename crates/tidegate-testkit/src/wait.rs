//! Waiting for a condition instead of for a time.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How long a condition may take to become true before the test is given up.
///
/// Long, since it is only ever used up by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Yields until `condition` holds; `what` is said when it never does.
///
/// # Panics
/// When the condition does not hold within [`PATIENCE`].
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        let deadline = Instant::now() + PATIENCE;
        while !condition() {
            assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for: {what} ({caller})");
            tokio::task::yield_now().await;
        }
    }
}

/// What `future` has to say at once, without waiting for anything; it can be awaited afterwards.
pub fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn a_condition_is_asked_until_it_holds() {
        let mut asked = 0;
        until("the third time", || {
            asked += 1;
            asked == 3
        })
        .await;
        assert_eq!(asked, 3);
    }

    #[tokio::test]
    async fn a_future_that_was_polled_can_be_awaited() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let mut receiver = pin!(receiver);
        assert!(poll_once(receiver.as_mut()).is_pending());
        sender.send(1).unwrap();
        assert_eq!(receiver.await, Ok(1));
    }
}
