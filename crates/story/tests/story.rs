//! The story, told to a ledger: every step is carried out, every invariant holds after it, and in the end it is as the story says.

use std::collections::BTreeSet;

use protocol::query::{self, ExitState, NoticeKind, PositionState, RequestFilter, RequestStatus};
use protocol::units::{Amount, Epoch, RequestId};
use protocol::{Authority, Event, KeyUse, Signer, State, advance_epoch, apply, invariants};
use story::people::{self, TREASURY};
use story::world::{BEACON, ETH, MER, PETRA, PRICES, QUENTIN, RELAY, SAMPLING, SETH, USD};
use story::{PRESENT, Step, address, genesis, labels, life, steps};

/// A ledger on which the story is told.
struct Told {
    state: State,
    events: Vec<(u32, Event)>,
}

impl Told {
    fn new() -> Self {
        Self { state: State::new(genesis()).expect("the genesis holds together"), events: Vec::new() }
    }

    fn go_to(&mut self, epoch: u32) {
        while self.state.epoch().number() < epoch {
            let epoch = self.state.epoch().number() + 1;
            self.events.extend(advance_epoch(&mut self.state).into_iter().map(|event| (epoch, event)));
            invariants::check(&self.state)
                .unwrap_or_else(|violation| panic!("boundary {epoch}: {violation}"));
        }
    }

    fn take(&mut self, step: &Step, authority: &Authority) {
        self.go_to(step.epoch);
        let events = apply(&mut self.state, authority, &step.operation).unwrap_or_else(|refusal| {
            panic!("epoch {}, {} {}: {}: {refusal}", step.epoch, step.account, step.note, refusal.code())
        });
        self.events.extend(events.into_iter().map(|event| (step.epoch, event)));
        invariants::check(&self.state).unwrap_or_else(|violation| panic!("{}: {violation}", step.note));
    }

    /// The story up to the present.
    fn whole() -> Self {
        let mut told = Self::new();
        for step in steps(&genesis().ledger) {
            told.take(&step, &step.plain_authority());
        }
        told.go_to(PRESENT);
        told
    }

    fn count(&self, chosen: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, event)| chosen(event)).count()
    }
}

#[test]
fn the_story_is_carried_out_and_ends_as_it_says() {
    let told = Told::whole();
    let state = &told.state;
    assert_eq!(state.epoch(), Epoch::new(PRESENT));

    // One slash was executed, for a contradiction, and one accusation was vetoed.
    let slashed = |event: &Event| matches!(event, Event::Slashed { operator, set, .. } if (*operator, *set) == (PETRA, PRICES));
    assert_eq!(told.count(slashed), 1);
    assert_eq!(told.count(|event| matches!(event, Event::Slashed { .. })), 1);
    let vetoed = query::request(state, RequestId::new(0));
    assert!(vetoed.is_none_or(|request| request.status == RequestStatus::Vetoed));
    assert_eq!(told.count(|event| matches!(event, Event::SlashVetoed { .. })), 1);
    let (bond, stake) = told
        .events
        .iter()
        .find_map(|(_, event)| match event {
            Event::Slashed { pools, .. } => pools.first().map(|pool| (pool.bond, pool.stake)),
            _ => None,
        })
        .expect("the slash took something");
    assert_eq!(bond, Amount::new(8_000_000_000_000_000_000), "petra's bond pays first");
    assert!(!stake.is_zero(), "and stakers pay the rest");

    // An exit is under way, another is over, and stake joins.
    let carol = query::exits(state, address("carol"));
    let leaves = |exit: &query::Exit| matches!(&exit.exit, ExitState::Unbonding { free_at, .. } if *free_at == Epoch::new(40));
    assert!(carol.positions.iter().any(leaves), "{carol:?}");
    let withdrawn =
        |event: &Event| matches!(event, Event::Withdrawn { account, .. } if *account == address("bob"));
    assert_eq!(told.count(withdrawn), 1, "what bob asked back has left the ledger");
    let alice = query::positions(state, address("alice"));
    assert!(alice.iter().any(|entry| entry.state == PositionState::Joining));

    // Who left the day before the offence has lost nothing.
    let erin = query::account(state, address("erin")).expect("erin");
    let free = erin.balances.iter().find(|balance| balance.asset == ETH).map(|balance| balance.free);
    assert_eq!(free, Some(Amount::new(75_000_000_000_000_000_000)));

    // Worse terms and a higher commission are announced, more parts are ordered, an accusation is open.
    let relay = query::set(state, RELAY).expect("the bridge's set");
    let pending = relay.pending.expect("terms are announced");
    assert_eq!((pending.is_worse, pending.from), (true, Epoch::new(35)));
    assert!(!pending.consents.is_empty() && !pending.missing.is_empty());
    let rosa = query::operator(state, story::world::ROSA).expect("rosa");
    assert!(
        rosa.pools.iter().any(|pool| pool.commission_later.iter().any(|later| later.value > pool.commission))
    );
    let open = RequestFilter { open_only: true, ..RequestFilter::default() };
    let open = query::requests(state, &open, None, 10).items;
    assert_eq!(open.iter().map(|request| request.operator).collect::<Vec<_>>(), [QUENTIN]);
    assert_eq!(open[0].vetoes, [address("ines")]);
}

#[test]
fn every_kind_of_thing_is_there_for_a_visitor() {
    let told = Told::whole();
    let state = &told.state;
    let view = protocol::view::view(state);
    assert!(view.assets.iter().all(|asset| asset.conserved));

    // Unique and shared stake in one pool.
    let pool = &query::operator(state, story::world::OLGA).expect("olga").pools[0];
    let owners = |set| {
        let with = |slice: &&query::SliceView| slice.owners.iter().any(|owner| owner.set == set);
        pool.slices.iter().filter(with).map(|slice| slice.owners.len()).collect::<Vec<_>>()
    };
    assert_eq!((owners(PRICES), owners(RELAY), owners(SAMPLING)), (vec![1], vec![2], vec![2]));

    // Rewards in two tokens, paid and expected.
    let earned = query::earnings(state, address("alice"));
    let tokens: Vec<_> = earned.expected.iter().map(|own| own.token).collect();
    assert_eq!(tokens, [USD, MER]);
    for token in [USD, MER] {
        assert!(told.count(|event| matches!(event, Event::Claimed { token: of, .. } if *of == token)) > 0);
    }

    // Every staker can be told what can slash it, when it is out, and what is coming.
    for staker in ["alice", "bob", "carol", "dave", TREASURY] {
        let exposure = query::exposure(state, address(staker));
        assert!(!exposure.totals.is_empty(), "{staker}");
        assert!(exposure.totals.iter().all(|total| total.worst_case.amount < total.worth), "{staker}");
    }
    let kinds: BTreeSet<NoticeKind> = people::everybody()
        .flat_map(|(_, account)| query::notices(state, account))
        .map(|notice| notice.kind)
        .collect();
    for kind in [
        NoticeKind::SlashRequested,
        NoticeKind::VetoOpen,
        NoticeKind::RequestOpen,
        NoticeKind::TermsAnnounced,
        NoticeKind::ConsentNeeded,
        NoticeKind::AllocationOrdered,
        NoticeKind::CommissionAnnounced,
        NoticeKind::Joining,
        NoticeKind::Unbonding,
        NoticeKind::GrantExpires,
    ] {
        assert!(kinds.contains(&kind), "nobody is told of {kind:?}: {kinds:?}");
    }

    // The bridge is secured; every operator is on duty where it joined; nothing weighs nothing.
    let relay = query::set(state, RELAY).expect("the bridge's set");
    assert!(relay.under_since.is_none() && relay.secured > relay.needed && !relay.profit.is_zero());
    for set in query::sets(state, None, 10).items {
        assert!(set.members.iter().all(|member| !member.weight.is_zero()), "set {}", set.set);
    }
    let held: BTreeSet<_> =
        view.pools.iter().filter(|pool| !pool.bonded.is_zero()).map(|pool| pool.asset).collect();
    assert_eq!(held, [ETH, SETH, BEACON].into());
}

#[test]
fn the_story_is_the_same_for_ever_and_for_every_ledger_its_own() {
    let ledger = genesis().ledger;
    assert_eq!(steps(&ledger), steps(&ledger));
    assert_ne!(steps(&ledger), steps(&protocol::units::Digest([7; 32])));
    let epochs: Vec<u32> = steps(&ledger).iter().map(|step| step.epoch).collect();
    assert!(epochs.is_sorted() && epochs.last() == Some(&PRESENT));
    // Frozen: a wallet that has imported a key of the demo still has it.
    assert_eq!(address("alice").to_string(), "0x3187cfa850785bb0af32cee4b7768cc8b258301e");
}

#[test]
fn everybody_can_sign_for_what_it_asks() {
    // Signed by keys instead of plainly, the story is carried out as well: by the keys that the state asks for.
    let mut told = Told::new();
    for (index, step) in steps(&genesis().ledger).into_iter().enumerate() {
        told.go_to(step.epoch);
        let time = 1_700_000_000_000 + u64::try_from(index).expect("few") * 1_000;
        told.state.begin_block(time);
        let signer = step.delegate.map_or_else(|| address(step.account), address);
        let keys = people::signers(&told.state, signer);
        assert!(!keys.is_empty(), "{} can sign", step.account);
        let nonces = query::account(&told.state, signer).map_or_else(Vec::new, |account| account.nonces);
        let used = keys.iter().map(|key| {
            let key = key.public_key();
            // Of an account that takes several keys, all sign one number.
            let own = nonces.iter().find(|own| own.key.as_ref().is_none_or(|own| *own == key));
            let next = own.map_or(0, |own| own.next);
            let nonce = if step.operation.kind().is_ordered() { next } else { time };
            KeyUse::new(key, nonce)
        });
        let keys: Vec<KeyUse> = used.collect();
        let signer = match step.delegate {
            None => Signer::Keys(keys),
            Some(delegate) => Signer::Delegate { address: address(delegate), keys },
        };
        told.take(&step, &Authority { account: address(step.account), signer, expires: time + 86_400_000 });
    }
    let treasury = query::account(&told.state, address(TREASURY)).expect("the treasury");
    assert_eq!(treasury.keys.map(|keys| (keys.keys.len(), keys.threshold)), Some((5, 3)));
}

#[test]
fn names_are_unique_and_lead_somewhere() {
    let told = Told::whole();
    let labels = labels();
    let keys: BTreeSet<_> = labels.iter().map(|label| label.key.clone()).collect();
    assert_eq!(keys.len(), labels.len());
    let known: BTreeSet<String> = told.state.keys().iter().map(ToString::to_string).collect();
    // They own nothing, and the ledger keeps no account of who only asks.
    let missing: Vec<_> =
        labels.iter().filter(|label| !known.contains(&label.key)).map(|label| label.label).collect();
    assert_eq!(missing, ["governor", "guardian", "wanda", "gus", "uma"]);
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte))
    };
    assert!(labels.iter().all(|label| is_name(label.label)));
    let mut names: Vec<_> = people::keys().into_iter().map(|key| key.name).collect();
    names.sort_unstable();
    assert!(names.is_sorted_by(|a, b| a < b) && names.iter().all(|name| is_name(name)));
}

#[test]
fn the_network_lives_on() {
    let mut told = Told::whole();
    let (mut applied, mut kinds) = (0, BTreeSet::new());
    for epoch in PRESENT + 1..PRESENT + 400 {
        told.go_to(epoch);
        let next = life(&told.state);
        assert_eq!(next, life(&told.state), "the same state lives on in the same way");
        assert!(next.len() < 40, "{} steps in epoch {epoch}", next.len());
        for step in next {
            told.take(&step, &step.plain_authority());
            kinds.insert(step.operation.kind());
            applied += 1;
        }
    }
    assert!(applied > 500, "{applied} steps");
    let expected =
        ["delegate", "undelegate", "release", "claim", "pay_work", "open_stream", "report_validator"];
    let missing: Vec<_> =
        expected.iter().filter(|name| !kinds.iter().any(|kind| kind.name() == **name)).collect();
    assert!(missing.is_empty(), "never asked for: {missing:?}");
    let state = &told.state;
    for set in query::sets(state, None, 10).items {
        assert!(set.members.iter().filter(|member| !member.weight.is_zero()).count() >= 3, "set {}", set.set);
        assert!(!set.streams.is_empty(), "set {} is paid", set.set);
    }
    let most = people::everybody().map(|(_, account)| query::positions(state, account).len()).max();
    assert!(most < Some(60), "entries of stake stay few: {most:?}");
}

#[test]
fn one_vault_goes_through_a_slash_with_somebody_in_its_line_and_the_other_does_not() {
    use story::world::{BRISK, CALM};
    let told = Told::whole();
    let state = &told.state;
    let lost = |of| told.count(|event| matches!(event, Event::VaultLost { vault, .. } if *vault == of));
    assert!(lost(BRISK) > 0, "petra had stake of it");
    assert_eq!(lost(CALM), 0);
    // Otto asked back before the slash, and bore it like all who stayed: the fund paid first.
    let paid: u128 = told
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::VaultClaimed { vault, amount, .. } if *vault == BRISK => Some(amount.units()),
            _ => None,
        })
        .sum();
    assert!(paid > 0 && paid < 40_000_000_000_000_000_000, "{paid}");
    // Quentin stands accused: only the vault that is with him has two prices.
    let feed = |vault| query::rate_feed(state, vault).expect("a vault");
    assert!(feed(BRISK).nav_low < feed(BRISK).nav_high && feed(BRISK).pending.len() == 1);
    assert_eq!(feed(CALM).nav_low, feed(CALM).nav_high);
    assert_eq!(query::exposure(state, address("nora")).vaults.len(), 2);
    let exits = query::exits(state, address("nora"));
    assert!(exits.tickets.iter().any(|ticket| ticket.vault == BRISK), "she waits to leave it");
}
