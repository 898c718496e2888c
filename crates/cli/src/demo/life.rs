//! The story lives on: once an epoch its people do what they do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use node::Node;
use protocol::units::Epoch;

use crate::demo::scribe::Scribe;

/// How often it looks whether an epoch has begun.
const LOOK: Duration = Duration::from_millis(50);

/// Sends what happens in each epoch, until it is over. What the node does not take is left out: life goes on.
pub(super) fn live(node: &Node, is_over: &AtomicBool) {
    let reader = node.reader();
    let mut scribe = Scribe::new(reader.genesis().domain());
    let mut seen: Option<Epoch> = Some(reader.head().state.epoch());
    while !is_over.load(Ordering::Acquire) {
        let head = reader.head();
        let epoch = head.state.epoch();
        if seen == Some(epoch) {
            std::thread::sleep(LOOK);
            continue;
        }
        seen = Some(epoch);
        scribe.look_up();
        for step in story::life(&head.state) {
            if is_over.load(Ordering::Acquire) {
                return;
            }
            let Some(signed) = scribe.sign(&step, &head.state, node.clock().now_ms()) else { continue };
            let Some(answer) = node.submit(signed.encode()) else { return };
            // Nobody waits for longer than an epoch: a node that has stopped answers nobody.
            if answer.blocking_recv().is_err() {
                return;
            }
        }
    }
}
