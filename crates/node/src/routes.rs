//! Every route in one table: what the router serves, what `openapi.json` describes, what `docs/reference/api.md` lists.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::{self, MethodRouter};

use crate::api::{
    account, blocks, events, explain, meta, operations, prepare, preview, proofs, records, rpc, slashes,
    vaults, webhooks,
};
use crate::app::App;
use crate::http::guard::{self, Guard};
use crate::page;

type Handler = fn() -> MethodRouter<Arc<App>>;

/// A route.
#[cfg_attr(
    not(test),
    allow(
        dead_code,
        reason = "the router needs path and handler; the descriptions are held against the rest"
    )
)]
pub(crate) struct Route {
    /// In lower case.
    pub(crate) method: &'static str,
    /// As `openapi.json` has it.
    pub(crate) path: &'static str,
    /// Its name in `openapi.json`.
    pub(crate) name: &'static str,
    /// Under which heading it is listed.
    pub(crate) tag: &'static str,
    /// What it is for, in a few words.
    pub(crate) summary: &'static str,
    handler: Handler,
}

macro_rules! routes {
    ($($tag:literal { $($method:ident $path:literal $name:ident = $handler:path, $summary:literal;)* })*) => {
        /// All routes, in the order of the reference.
        pub(crate) const ROUTES: &[Route] = &[$($(Route {
            method: stringify!($method),
            path: $path,
            name: stringify!($name),
            tag: $tag,
            summary: $summary,
            handler: || routing::$method($handler),
        }),*),*];
    };
}

routes! {
    "Node" {
        get "/" page = page::page, "a plain page for people";
        get "/livez" livez = meta::livez, "the process answers";
        get "/readyz" readyz = meta::readyz, "the node takes operations and makes blocks";
        get "/metrics" metrics = meta::metrics, "what the node counts, for Prometheus";
        get "/version" version = meta::version, "what runs";
        get "/openapi.json" openapi = meta::openapi, "the description of this API";
        get "/docs/errors" errors = page::errors, "what each code of an error means, and what to do";
        get "/robots.txt" robots = meta::robots, "no crawlers, please";
        get "/v1/status" status = meta::status, "where the node stands";
        get "/v1/genesis" genesis = meta::genesis, "how the ledger started";
        get "/v1/labels" labels = meta::labels, "the names that this node knows";
    }
    "Operations" {
        post "/v1/operations/prepare" prepare = prepare::prepare, "what a wallet is given to sign, and what it would do";
        post "/v1/simulate" simulate = preview::simulate, "what an operation would do, exactly";
        post "/v1/operations" submit = operations::submit, "send in a signed operation";
        get "/v1/operations/{id}" operation = operations::operation, "what became of an operation";
    }
    "Blocks and events" {
        get "/v1/blocks" blocks = blocks::blocks, "blocks, the newest first";
        get "/v1/blocks/{height}" block = blocks::block, "what a block did";
        get "/v1/events" events = events::events, "events as they happen, without a gap";
        get "/v1/entries/{key}" entry = proofs::entry, "an entry of the state, with a proof";
    }
    "Accounts" {
        get "/v1/accounts" accounts = account::accounts, "accounts by order of appearance";
        get "/v1/accounts/{account}" account = account::account, "what an account has, and who acts for it";
        get "/v1/accounts/{account}/positions" positions = account::positions, "its entries of stake";
        get "/v1/accounts/{account}/rewards" rewards = account::rewards, "what do I earn?";
        get "/v1/accounts/{account}/exposure" exposure = account::exposure, "what can slash me, and how much at worst?";
        get "/v1/accounts/{account}/exits" exits = account::exits, "when am I out?";
        get "/v1/accounts/{account}/exits.ics" exits_ics = account::exits_ics, "the same as a calendar";
        get "/v1/accounts/{account}/notices" notices = account::notices, "what is scheduled that concerns the account";
        get "/v1/accounts/{account}/notices.rss" notices_rss = account::notices_rss, "the same as a feed";
        get "/v1/accounts/{account}/history" history = account::history, "what it did and what happened to it";
        get "/v1/accounts/{account}/nonces" nonces = account::nonces, "what the next signature of each key must carry";
    }
    "Records" {
        get "/v1/assets" assets = records::assets, "assets";
        get "/v1/assets/{id}" asset = records::asset, "one asset";
        get "/v1/operators" operators = records::operators, "operators";
        get "/v1/operators/{id}" operator = records::operator, "one operator";
        get "/v1/pools" pools = records::pools, "pools";
        get "/v1/pools/{id}" pool = records::pool, "one pool";
        get "/v1/services" services = records::services, "services";
        get "/v1/services/{id}" service = records::service, "one service";
        get "/v1/sets" sets = records::sets, "operator sets";
        get "/v1/sets/{id}" set = records::set, "one operator set";
        get "/v1/sets/{id}/table" table = records::table, "who counts how much in a set in an epoch";
        get "/v1/requests" requests = records::requests, "requests to slash";
        get "/v1/requests/{id}" request = records::request, "one request to slash";
        get "/v1/slashes" slashes = slashes::slashes, "every slash and request to slash, the newest first, with its life";
        get "/v1/slashes/{id}" slash = slashes::slash, "one slash, with its life";
        get "/v1/streams" streams = records::streams, "streams of rewards";
        get "/v1/streams/{id}" stream = records::stream, "one stream of rewards";
        get "/v1/ethereum" chain = records::chain, "how Ethereum is followed: which headers are final, and whether it is stopped";
        get "/v1/pods" pods = records::pods, "what is behind the withdrawal addresses of native stake";
        get "/v1/pods/{id}" pod = records::pod, "one pod";
        get "/v1/network" network = records::network, "how much more an attack costs than it brings";
        get "/v1/parameters" parameters = records::parameters, "the rules in force and announced";
        get "/v1/explain" figures = explain::figures, "the figures that can be explained";
        get "/v1/explain/{figure}" explain = explain::explain, "how a figure comes about";
    }
    "Vaults" {
        get "/v1/vaults" vaults = vaults::vaults, "vaults";
        get "/v1/vaults/{id}" vault = vaults::vault, "one vault";
        get "/v1/vaults/{id}/rate" vault_rate = vaults::vault_rate, "what it is worth, at which rates, and on which entries that stands";
        get "/v1/vaults/{id}/limits" vault_limits = vaults::vault_limits, "max_deposit, max_request, max_instant: what would be accepted now";
        get "/v1/vaults/{id}/convert" vault_convert = vaults::vault_convert, "convert_to_shares, convert_to_assets";
        get "/v1/vaults/{id}/preview" vault_preview = vaults::vault_preview, "preview_deposit, preview_request, preview_instant";
        get "/v1/vaults/{id}/exit-time" exit_time = vaults::exit_time, "when shares asked back now would be settled, and how that is known";
        get "/v1/vaults/{id}/tickets" tickets = vaults::tickets, "what waits: deposits, exits, what was held back";
        get "/v1/vaults/{id}/tickets/{ticket}" ticket = vaults::ticket, "one of them: pending and claimable";
        get "/v1/vaults/{id}/holders" holders = vaults::holders, "who has its shares";
        get "/v1/vaults/{id}/exposure" vault_exposure = vaults::vault_exposure, "what can slash it, and how much at worst";
        get "/v1/vaults/{id}/curation" vault_curation = vaults::vault_curation, "how it is curated: bands, every cap with what it bounds, the worst events";
        get "/v1/vaults/{id}/plan" vault_plan = vaults::vault_plan, "what the ledger's own allocator would move: a plan for allocate_vault";
        get "/v1/baskets" baskets = vaults::baskets, "baskets of shares of vaults";
        get "/v1/baskets/{id}" basket = vaults::basket, "one basket: its legs with their prices, its doors";
        get "/v1/baskets/{id}/in-kind" basket_in_kind = vaults::basket_in_kind, "what shares of it take and give in kind";
        get "/v1/shares" shares = vaults::shares, "sorts of shares";
        get "/v1/accounts/{account}/shares" holdings = vaults::holdings, "an account's shares, allowances and points";
        get "/v1/accounts/{account}/tickets" account_tickets = vaults::account_tickets, "what an account has waiting in vaults";
    }
    "Webhooks" {
        get "/v1/webhooks" webhooks = webhooks::list, "all webhooks";
        post "/v1/webhooks" add_webhook = webhooks::add, "add a webhook";
        delete "/v1/webhooks/{id}" remove_webhook = webhooks::remove, "remove a webhook";
    }
    "Wallets" {
        post "/rpc" rpc = rpc::rpc, "as much of Ethereum's JSON-RPC as wallets ask";
    }
}

/// The routes for calls within the process, which are not limited in number.
pub(crate) fn router(app: &Arc<App>) -> Router {
    router_at(app, None)
}

/// The routes, for connections to an address.
pub(crate) fn router_at(app: &Arc<App>, address: Option<IpAddr>) -> Router {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let run = u64::from(since.subsec_nanos()) ^ since.as_secs().rotate_left(20);
    let guard = Guard::new(&app.config.http, address, Arc::clone(&app.metrics), run);
    let mut router = Router::new();
    for route in ROUTES {
        // A key of an entry has slashes in it.
        let path = route.path.replace("{key}", "{*key}");
        router = router.route(&path, (route.handler)());
    }
    router
        .fallback(guard::unknown_route)
        .method_not_allowed_fallback(guard::unknown_method)
        .layer(axum::middleware::from_fn_with_state(Arc::new(guard), guard::guard))
        .with_state(Arc::clone(app))
}
