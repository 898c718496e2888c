//! What stands at the door of every request: trace id, panics, time, rate, headers of security, counting.
//!
//! Nothing here reads a body or writes what a client has sent into a log.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::extract::BodyLimit;
use super::large::Desk;
use super::problem::{Code, Problem};
use crate::config::Http;
use crate::metrics::Metrics;

/// The most addresses of clients that are remembered; beyond it all that are not share one allowance.
const CLIENTS_MAX: usize = 10_000;
/// Where operations are taken, which may be large.
const OPERATIONS: [&str; 3] = ["/v1/operations", "/v1/operations/prepare", "/v1/simulate"];
/// How often at most those whose allowance is full again are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Who asks, where there is a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// Whether `host` is one of the node's own names.
    pub(crate) calls_by_own_name: bool,
    /// Whether a proxy says that it asks for somebody else.
    pub(crate) is_forwarded: bool,
}

impl Client {
    /// Somebody who has just connected; the rest is seen from each request.
    pub(crate) const fn at(address: IpAddr) -> Self {
        Self { address, calls_by_own_name: false, is_forwarded: false }
    }
}

/// What proxies add when they ask for somebody else.
const FORWARDED: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

/// What the guards share.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) body_limit: usize,
    /// The largest body where operations are taken, and who has one under way.
    operations: (usize, Desk),
    pub(crate) timeout: Duration,
    /// Only where others than this machine can connect.
    pub(crate) rates: Option<Rates>,
    hosts: Hosts,
    /// The names that are the node's own wherever it listens.
    own: Hosts,
    traces: AtomicU64,
    /// Set apart from other runs of the node.
    run: u64,
}

impl Guard {
    /// `address` is where the node listens; none for calls within the process.
    pub(crate) fn new(config: &Http, address: Option<IpAddr>, metrics: Arc<Metrics>, run: u64) -> Self {
        let is_public = address.is_some_and(|address| !address.is_loopback());
        let hosts = match (address, config.hosts.is_empty()) {
            (None, _) => Hosts::Any,
            (Some(address), true) if !address.is_loopback() => Hosts::Any,
            _ => Hosts::Named(config.hosts.clone()),
        };
        Self {
            hosts,
            own: Hosts::Named(config.hosts.clone()),
            metrics,
            body_limit: config.body_bytes_max,
            operations: (config.operation_bytes_max, Desk::default()),
            timeout: Duration::from_millis(config.request_timeout_ms),
            rates: is_public.then(|| Rates::new(config.requests_per_second, config.requests_burst)),
            traces: AtomicU64::new(0),
            run,
        }
    }

    /// Whether a request is looked at.
    fn admits(&self, request: &Request, client: Option<Client>, now: Instant) -> Result<(), Problem> {
        if let (Some(rates), Some(client)) = (&self.rates, client) {
            rates.take(client.address, now).map_err(|seconds| {
                Problem::new(Code::RateLimited, "the request was not looked at", "too many came before it")
                    .retry_after(seconds)
            })?;
        }
        if self.hosts.knows(host_of(request)) {
            return Ok(());
        }
        let cause = "`host` names neither this machine nor what `http.hosts` allows: a page of another origin may be asking";
        Err(Problem::new(Code::Forbidden, "the request was not looked at", cause))
    }

    fn trace_id(&self) -> String {
        format!("{:08x}{:08x}", self.run & 0xffff_ffff, self.traces.fetch_add(1, Ordering::Relaxed))
    }
}

fn host_of(request: &Request) -> &str {
    let host = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    host.unwrap_or_default()
}

/// Wraps every request: whatever happens inside, an answer with security headers comes out, and problems are written down.
pub(crate) async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let trace_id = guard.trace_id();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = request.method().clone();
    let client = request.extensions().get::<Client>().map(|client| Client {
        calls_by_own_name: guard.own.knows(host_of(&request)),
        is_forwarded: FORWARDED.iter().any(|name| request.headers().contains_key(*name)),
        ..*client
    });
    let is_operation = route.as_deref().is_some_and(|route| OPERATIONS.contains(&route));
    let (most, desk) = &guard.operations;
    let large = is_operation.then(|| (*most, desk.clone(), client.map(|client| client.address)));
    request.extensions_mut().insert(BodyLimit { plain: guard.body_limit, large });
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    let answered = match guard.admits(&request, client, started) {
        Ok(()) => answer(&guard, request, next).await,
        Err(problem) => problem.into_response(),
    };
    let mut response = written(answered, &trace_id);
    secure(&mut response, &trace_id);
    let route = route.as_deref().unwrap_or("none");
    guard.metrics.request(&method, route, response.status().as_u16(), started.elapsed());
    response
}

async fn answer(guard: &Guard, request: Request, next: Next) -> Response {
    let inner = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(guard.timeout, inner).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            guard.metrics.panics.inc();
            Problem::new(Code::Internal, "the request was not answered", "a promise of the code did not hold")
                .into_response()
        }
        Err(_) => {
            let cause = format!("it took longer than {} ms", guard.timeout.as_millis());
            Problem::new(Code::Timeout, "the request was given up", cause).into_response()
        }
    }
}

/// Problems as their JSON; what the router itself has refused as a problem.
fn written(mut response: Response, trace_id: &str) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let mut written = problem.write(trace_id);
        if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
            written.headers_mut().insert(header::ALLOW, allow);
        }
        return written;
    }
    response
}

fn secure(response: &mut Response, trace_id: &str) {
    const FIXED: [(HeaderName, &str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "interest-cohort=()"),
    ];
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = "default-src 'none'; frame-ancestors 'none'";
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(policy));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(trace_id) {
        headers.insert(HeaderName::from_static("x-trace-id"), value);
    }
}

/// No such route.
pub(crate) async fn unknown_route() -> Problem {
    Problem::new(Code::UnknownRoute, "nothing is served here", "no route has this path")
}

/// The route is there, for another method.
pub(crate) async fn unknown_method(method: Method) -> Problem {
    let detail = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "TRACE") => {
            format!("{known} is not served here")
        }
        _ => "this method is not served here".to_owned(),
    };
    Problem::new(Code::MethodNotAllowed, detail, "the route takes the methods in `allow`")
}

/// By which names a node may be called. A page of another origin can make a browser send requests to the loopback, under its own name.
#[derive(Clone, Debug)]
enum Hosts {
    Any,
    /// Addresses, `localhost`, and these.
    Named(Vec<String>),
}

impl Hosts {
    fn knows(&self, host: &str) -> bool {
        let Self::Named(named) = self else { return true };
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        let name = name.to_ascii_lowercase();
        name == "localhost" || name.parse::<IpAddr>().is_ok() || named.contains(&name)
    }
}

/// An allowance for each address: so many requests a second, so many at once.
#[derive(Debug)]
pub(crate) struct Rates {
    per_second: f64,
    burst: f64,
    clients: Mutex<Clients>,
}

#[derive(Debug, Default)]
struct Clients {
    allowances: BTreeMap<Option<IpAddr>, Allowance>,
    /// When those with a full allowance were last forgotten.
    swept: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Allowance {
    left: f64,
    at: Instant,
}

impl Rates {
    fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: f64::from(per_second), burst: f64::from(burst), clients: Mutex::default() }
    }

    /// Takes one request from the allowance of an address; otherwise after how many seconds it has one again.
    fn take(&self, address: IpAddr, now: Instant) -> Result<(), u32> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let mut who = Some(subnet(address));
        if clients.allowances.len() >= CLIENTS_MAX && !clients.allowances.contains_key(&who) {
            // It visits all of them, so it is not done for every stranger.
            if clients.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_EVERY) {
                clients.swept = Some(now);
                let full = |allowance: &Allowance| self.refilled(*allowance, now) >= self.burst;
                clients.allowances.retain(|_, allowance| !full(allowance));
            }
            if clients.allowances.len() >= CLIENTS_MAX {
                who = None;
            }
        }
        let fresh = Allowance { left: self.burst, at: now };
        let allowance = clients.allowances.entry(who).or_insert(fresh);
        let left = self.refilled(*allowance, now);
        let is_enough = left >= 1.0;
        *allowance = Allowance { left: if is_enough { left - 1.0 } else { left }, at: now };
        if is_enough { Ok(()) } else { Err(if self.per_second >= 1.0 { 1 } else { 60 }) }
    }

    fn refilled(&self, allowance: Allowance, now: Instant) -> f64 {
        let since = now.saturating_duration_since(allowance.at).as_secs_f64();
        (allowance.left + since * self.per_second).min(self.burst)
    }
}

/// Who owns one IPv6 address owns its /64.
pub(crate) fn subnet(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets.iter_mut().skip(8).for_each(|octet| *octet = 0);
            IpAddr::V6(octets.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_on_the_loopback_answers_to_its_own_names_only() {
        let hosts = Hosts::Named(vec!["node.example".to_owned()]);
        for host in ["localhost", "localhost:8710", "127.0.0.1:8710", "[::1]:8710", "Node.Example:1"] {
            assert!(hosts.knows(host), "{host}");
        }
        for host in
            ["", "evil.example", "evil.example:8710", "localhost.evil.example", "127.0.0.1.evil.example"]
        {
            assert!(!hosts.knows(host), "{host}");
        }
    }

    #[test]
    fn an_address_has_its_burst_and_then_its_rate() {
        let rates = Rates::new(10, 3);
        let (address, start) = (IpAddr::from([10, 0, 0, 1]), Instant::now());
        let taken = |after_ms: u64| rates.take(address, start + Duration::from_millis(after_ms)).is_ok();
        assert_eq!([0, 0, 0, 0, 100, 100].map(taken), [true, true, true, false, true, false]);
        assert!(rates.take(IpAddr::from([10, 0, 0, 2]), start).is_ok(), "others are not concerned");
    }

    #[test]
    fn addresses_of_one_subnet_share_an_allowance() {
        let rates = Rates::new(1, 1);
        let now = Instant::now();
        let [a, b] = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse::<IpAddr>().expect("an address"));
        assert_eq!((rates.take(a, now), rates.take(b, now)), (Ok(()), Err(1)));
    }

    #[test]
    fn many_addresses_take_no_more_memory_than_allowed() {
        let rates = Rates::new(1, 2);
        let now = Instant::now();
        for number in 0..20_000_u32 {
            let _ = rates.take(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(rates.clients.lock().expect("no panic").allowances.len() <= CLIENTS_MAX + 1);
    }
}
