//! The order to stop a run, on its way from the giver to the task that executes the run.

use std::time::Duration;

use tokio::sync::watch;
use townwatch_protocol::event::StopSignal;

/// An order to stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StopRequest {
    /// The signal by which the run is to end: SIGTERM gives it time, SIGKILL none.
    pub(crate) signal: StopSignal,
    /// The reason why the run is to end.
    pub(crate) cause: StopCause,
}

/// The reason of an order to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopCause {
    /// A request of a person or the town, or the end of this server.
    Asked,
    /// The end of the lease: the town has not asked for anything for this long.
    LeaseOver(Duration),
}

/// The sending end of the orders to one run.
#[derive(Debug)]
pub(crate) struct StopSender(watch::Sender<Option<StopRequest>>);

/// The receiving end of the orders, for the task that executes the run. Each clone gets every order.
#[derive(Debug, Clone)]
pub(crate) struct StopReceiver(watch::Receiver<Option<StopRequest>>);

/// Makes both ends for a run that begins.
pub(crate) fn channel() -> (StopSender, StopReceiver) {
    let (sender, receiver) = watch::channel(None);
    (StopSender(sender), StopReceiver(receiver))
}

impl StopSender {
    /// Gives an order. The first cause stays, and only SIGKILL changes anything after it.
    pub(crate) fn order(&self, order: StopRequest) {
        self.0.send_if_modified(|given| match given {
            None => {
                *given = Some(order);
                true
            }
            Some(given) if order.signal == StopSignal::Kill && given.signal != StopSignal::Kill => {
                given.signal = StopSignal::Kill;
                true
            }
            Some(_) => false,
        });
    }

    /// Whether an order was given.
    pub(crate) fn is_ordered(&self) -> bool {
        self.0.borrow().is_some()
    }
}

impl StopReceiver {
    /// Waits for the next order, even one that was given before this call. The future can be dropped at any time.
    pub(crate) async fn next(&mut self) -> StopRequest {
        while self.0.changed().await.is_ok() {
            if let Some(order) = *self.0.borrow_and_update() {
                return order;
            }
        }
        std::future::pending().await // nobody is left who could order
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn order(signal: StopSignal) -> StopRequest {
        StopRequest { signal, cause: StopCause::Asked }
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_is_heard_by_each_clone_once_and_only_a_kill_is_one_more() {
        let (sender, receiver) = channel();
        let lease_over = StopCause::LeaseOver(Duration::from_secs(2));
        assert!(!sender.is_ordered());
        sender.order(StopRequest { signal: StopSignal::Term, cause: lease_over });
        assert!(sender.is_ordered());
        let (mut first, mut second) = (receiver.clone(), receiver);
        let expected = StopRequest { signal: StopSignal::Term, cause: lease_over };
        assert_eq!((first.next().await, second.next().await), (expected, expected));
        sender.order(order(StopSignal::Term));
        assert!(timeout(Duration::from_secs(1), first.next()).await.is_err(), "a repeat says nothing new");
        sender.order(order(StopSignal::Kill));
        assert_eq!(first.next().await, StopRequest { signal: StopSignal::Kill, cause: lease_over });
        sender.order(order(StopSignal::Term));
        assert!(timeout(Duration::from_secs(1), first.next()).await.is_err(), "a kill is not taken back");
        drop(sender);
        assert!(timeout(Duration::from_secs(1), first.next()).await.is_err());
        assert_eq!(second.next().await.signal, StopSignal::Kill);
    }
}
