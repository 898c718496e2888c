//! The listener: bounded connections, bounded heads, no patience with those who dribble.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
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

use super::guard::Client;
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
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
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

struct Connection {
    router: Router,
    config: Http,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
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
                request.extensions_mut().insert(Client(peer.ip()));
                let Ok(response) = router.oneshot(request).await;
                Ok::<_, Infallible>(response)
            }
        });
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
