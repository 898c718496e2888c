//! How a vault is curated: its bands, every cap with what it bounds, and what the worst events would take.

use super::super::Scheduled;
use crate::state::State;
use crate::state::vaults::bands::Policy;
use crate::state::vaults::curate::{Holding, Which};
use crate::units::{Amount, OperatorId, SetId, VaultId};
use crate::vault::portfolio::{Cap, Limit};

answer! {
    /// How a vault is curated.
    pub struct CurationView {
        /// The vault.
        pub vault: VaultId,
        /// Bands, caps and mandate in force; none until its council has set some.
        pub policy: Option<Policy>,
        /// Those that are announced.
        pub announced: Option<Scheduled<Policy>>,
        /// Sets whose terms have become worse since the council last looked: nothing is added to what they can slash.
        pub worsened: Vec<SetId>,
        /// Operators of its bands, then those that it has stake with beside.
        pub places: Vec<PlaceView>,
        /// Every cap with what it bounds.
        pub limits: Vec<LimitView>,
        /// The worst single event, whether or not a cap bounds it.
        pub worst_event: Option<EventView>,
        /// The worst two events at once.
        pub worst_two: Option<EventView>,
        /// What pays for a loss before the holders do: the fund and the junior tranche.
        pub first_loss: Amount,
        /// How much of what is idle may be delegated.
        pub deployable: Amount,
        /// How much a plan may still ask back in this epoch.
        pub turnover_left: Amount,
    }
}

answer! {
    /// An operator as a vault's bands see it, in base units.
    pub struct PlaceView {
        /// The operator.
        pub operator: OperatorId,
        /// Stake that was not asked back.
        pub stake: Amount,
        /// All that can be slashed, what is on its way back included.
        pub slashable: Amount,
        /// Lower end of its band.
        pub min: Amount,
        /// Target.
        pub target: Amount,
        /// Upper end.
        pub max: Amount,
        /// Why nothing may be added to it; none where something may, within the caps.
        pub closed: Option<String>,
    }
}

answer! {
    /// A cap with what it bounds.
    pub struct LimitView {
        /// Which, in words.
        pub cap: String,
        /// Base units.
        pub value: Amount,
        /// The most.
        pub most: Amount,
    }
}

answer! {
    /// What happens to many at once.
    pub struct EventView {
        /// What, in words.
        pub event: String,
        /// What the vault would lose, in base units, rounded up.
        pub loss: Amount,
    }
}

fn shown(limit: &Limit) -> LimitView {
    LimitView { cap: limit.cap.to_string(), value: limit.value, most: limit.most }
}

/// How a vault is curated; `None` where there is no such vault. Costs as the vault has operators, times what can slash them.
pub fn curation(state: &State, id: VaultId) -> Option<CurationView> {
    let vault = state.vault(id)?;
    let value = state.value_vault(id)?;
    let curation = &vault.curation;
    let first_loss = Amount::total([vault.buckets.fund, vault.buckets.junior])?;
    let announced =
        curation.pending.as_ref().map(|(from, value)| Scheduled { from: *from, value: value.clone() });
    let mut view = CurationView {
        vault: id,
        policy: curation.policy.clone(),
        announced,
        worsened: curation.worsened.clone(),
        places: Vec::new(),
        limits: Vec::new(),
        worst_event: None,
        worst_two: None,
        first_loss,
        deployable: Amount::ZERO,
        turnover_left: curation.turnover_left(state.epoch, value.nav),
    };
    let Some(policy) = &curation.policy else { return Some(view) };
    let holdings = state.holdings_of(id, policy);
    let portfolio = state.portfolio_of(id, policy, &holdings, (value.nav, Which::All));
    let closed = state.closed_slots(id, policy, &portfolio);
    let place = |(holding, closed): (&Holding, &Option<&'static str>)| {
        let band = policy.band(holding.operator);
        let [min, target, max] = band.map_or([Amount::ZERO; 3], |band| {
            [band.min, band.target, band.max].map(|share| share.of_down(value.nav))
        });
        let Holding { operator, staying, all, .. } = *holding;
        let closed = closed.map(str::to_owned);
        PlaceView { operator, stake: staying, slashable: all, min, target, max, closed }
    };
    view.places = holdings.iter().zip(&closed).map(place).collect();
    let limits = portfolio.limits(&policy.caps);
    view.limits = limits.all().iter().map(shown).collect();
    view.deployable = state.deployable(id, policy, &holdings, &value);
    // Losses are worked out even where no cap asks for them.
    let mut eventful = policy.caps.clone();
    (eventful.event, eventful.two_events) = (crate::units::Fraction::ZERO, crate::units::Fraction::ZERO);
    let events = portfolio.limits(&eventful);
    view.worst_event = events.worst_event().map(|(event, loss)| EventView { event: event.to_string(), loss });
    view.worst_two = events.worst_two().map(|limit| {
        let event = match &limit.cap {
            Cap::TwoEvents(one, other) if one == other => one.to_string(),
            Cap::TwoEvents(one, other) => format!("{one} and {other}"),
            cap => cap.to_string(),
        };
        EventView { event, loss: limit.value }
    });
    Some(view)
}
