//! Signalling that takes its time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::peer::Environment;
use crate::peer::environment::sleep_until;

/// A sender whose messages reach `to` after `delay`, in order; `to` itself if there is none.
pub fn delayed<T: Send + 'static>(
    environment: &Arc<dyn Environment>,
    delay: Duration,
    to: mpsc::UnboundedSender<T>,
) -> mpsc::UnboundedSender<T> {
    if delay.is_zero() {
        return to;
    }
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let here = Arc::clone(environment);
    environment.runtime().spawn(Box::pin(async move {
        while let Some(message) = receiver.recv().await {
            let (line, to) = (Arc::clone(&here), to.clone());
            let at = here.now() + delay;
            // Timers of one instant fire in the order in which they were set.
            here.runtime().spawn(Box::pin(async move {
                sleep_until(line.as_ref(), at).await;
                // Whoever has left hears nothing.
                let _ = to.send(message);
            }));
        }
    }));
    sender
}
