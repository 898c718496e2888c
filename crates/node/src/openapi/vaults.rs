//! What the routes of vaults take and give.

use protocol::query;
use protocol::units::{Address, Epoch};
use schemars::JsonSchema;

use super::{Book, Shape, shapes};
use crate::api::account::DatedExit;
use crate::api::vaults::{HowMuch, LimitsOf, PreviewOf, SharesOf};
use crate::api::when::When;

/// The rates of a vault, and what they are computed from.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "the fields are read by the derive")]
struct RateAnswer {
    #[serde(flatten)]
    feed: query::RateFeed,
    /// The keys of the entries that all of it follows from; with `proof=1` each is there with its proof.
    stands_on: Vec<String>,
}

/// When shares asked back now would be settled.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "the fields are read by the derive")]
struct ExitTime {
    #[serde(flatten)]
    estimate: query::ExitTimeEstimate,
    /// `settled_in` as a time.
    settled: Option<When>,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "the fields are read by the derive")]
pub(super) struct Exits {
    account: Address,
    epoch: Epoch,
    positions: Vec<DatedExit>,
    /// Shares of vaults, if they were asked back now.
    vaults: Vec<query::VaultExit>,
    /// What it has waiting in vaults.
    tickets: Vec<query::VaultTicket>,
    /// With `proof=1`: what of it no entry proves.
    not_proven: Option<Vec<String>>,
}

impl Book {
    pub(super) fn vault_shape(&mut self, name: &str) -> Shape {
        let asked = |query, mut shape: Shape| {
            shape.query = Some(query);
            shape
        };
        match name {
            "vaults" => self.paged::<query::VaultDetail>(),
            "vault" => self.proven::<query::VaultDetail>(),
            "vault_rate" => self.proven::<RateAnswer>(),
            "vault_curation" => self.one::<query::CurationView>(),
            "vault_plan" => self.one::<query::VaultPlan>(),
            "baskets" => self.paged::<query::BasketDetail>(),
            "basket" => self.one::<query::BasketDetail>(),
            "basket_in_kind" => asked(self.of::<SharesOf>(), self.one::<query::InKind>()),
            "vault_limits" => asked(self.of::<LimitsOf>(), self.one::<query::VaultMaxima>()),
            "vault_convert" => asked(self.of::<HowMuch>(), self.one::<query::Converted>()),
            "vault_preview" => {
                let (later, now) = (self.of::<query::VaultPreview>(), self.of::<query::InstantPreview>());
                let either = self.dated(serde_json::json!({ "anyOf": [later, now] }));
                let answers = vec![(200, super::JSON, Some(either))];
                Shape { query: Some(self.of::<PreviewOf>()), answers, ..Shape::default() }
            }
            "exit_time" => asked(self.of::<HowMuch>(), self.one::<ExitTime>()),
            "tickets" => self.paged::<query::VaultTicket>(),
            "ticket" => self.one::<query::VaultTicket>(),
            "holders" => self.paged::<query::HoldingView>(),
            "vault_exposure" => self.entries::<query::ExposureAnswer>(),
            "shares" => self.paged::<query::ShareDetail>(),
            "holdings" => self.one::<shapes::OfAccount<query::HoldingView>>(),
            "account_tickets" => self.one::<shapes::OfAccount<query::VaultTicket>>(),
            _ => panic!("{name} is not described"),
        }
    }
}
