//! The listener: bounded connections, bounded heads, no patience with those who dribble.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

use super::guard::{Client, subnet};
use super::patience::Patience;
use crate::config::Http;
use crate::metrics::Metrics;

/// How long connections may take to end once the node stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Takes connections until `stop` says true; then no more, and those that are open get a little time to end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    config: Http,
    metrics: Arc<Metrics>,
    mut stop: watch::Receiver<bool>,
) {
    let permits = Arc::new(Semaphore::new(config.connections_max));
    let is_public = listener.local_addr().is_ok_and(|address| !address.ip().is_loopback());
    let shares = Shares::new(if is_public { config.connections_max.div_ceil(SHARES) } else { usize::MAX });
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, mostly: those that are open will end.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let permit = Arc::clone(&permits).try_acquire_owned().ok().zip(shares.take(peer.ip()));
        let Some(permit) = permit else {
            metrics.connections_refused.inc();
            continue;
        };
        let connection = Connection { router: router.clone(), config: config.clone(), peer, permit };
        tasks.spawn(connection.run(stream, Arc::clone(&metrics), stop.clone()));
    }
    drop(listener);
    let farewell = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
        tasks.abort_all();
    }
}

/// Ends when the node stops.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that whoever stops is gone.
    let _gone = stop.wait_for(|stop| *stop).await.is_err();
}

/// Where others than this machine can connect, one of them (an address, or a /64 of IPv6) has at most one of so many parts of all connections.
const SHARES: usize = 8;

/// How many connections each address has.
#[derive(Clone, Debug)]
struct Shares {
    open: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    most: usize,
}

impl Shares {
    fn new(most: usize) -> Self {
        Self { open: Arc::default(), most }
    }

    /// One more connection of an address, until what comes out is dropped; none if it has as many as it may.
    fn take(&self, address: IpAddr) -> Option<Share> {
        let address = subnet(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Share { shares: self.clone(), address })
    }
}

#[derive(Debug)]
struct Share {
    shares: Shares,
    address: IpAddr,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut open = self.shares.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

struct Connection {
    router: Router,
    config: Http,
    peer: SocketAddr,
    permit: (OwnedSemaphorePermit, Share),
}

impl Connection {
    async fn run(self, stream: TcpStream, metrics: Arc<Metrics>, mut stop: watch::Receiver<bool>) {
        let Self { router, config, peer, permit } = self;
        metrics.connections.inc();
        let _latency_only = stream.set_nodelay(true);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let router = router.clone();
            async move {
                let mut request: Request = request.map(Body::new);
                request.extensions_mut().insert(Client::at(peer.ip()));
                let Ok(response) = router.oneshot(request).await;
                Ok::<_, Infallible>(response)
            }
        });
        let stream = Patience::new(stream, Duration::from_millis(config.request_timeout_ms));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(config.header_timeout_ms))
            .max_buf_size(config.header_bytes_max)
            .max_headers(config.headers_max)
            .keep_alive(true)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ended = connection.as_mut() => {}
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                let _ended = connection.await;
            }
        }
        metrics.connections.dec();
        drop(permit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_can_t_take_all_connections_of_a_public_node() {
        let shares = Shares::new(2);
        let [first, neighbour, other] = ["2001:db8::1", "2001:db8::2", "10.0.0.1"]
            .map(|text| text.parse::<IpAddr>().expect("an address"));
        let held = [shares.take(first), shares.take(neighbour)];
        assert!(held.iter().all(Option::is_some) && shares.take(first).is_none(), "two of one subnet");
        assert!(shares.take(other).is_some(), "others are not concerned");
        drop(held);
        assert!(shares.take(first).is_some());
        assert!(shares.open.lock().expect("no panic").is_empty(), "nothing is remembered of who has left");
    }
}
