//! The four weeks after: rewards, an accusation that is vetoed, a contradiction that is punished, exits, and what is announced.

use protocol::operation::Kind;
use protocol::ops;
use protocol::ops::grant::AssetLimit;
use protocol::ops::set_split::Recipient;
use protocol::units::{Amount, Epoch, Fraction, RequestId, SlashId};
use protocol::{FollowUp, Operation, Victim};

use super::opening::VALIDATORS;
use super::{
    Days, claim, claim_settled, delegate, pay_work, release, report_rate, report_validator, stream,
    undelegate,
};
use crate::people::{TREASURY, address};
use crate::world::{
    ETH, HUGO, MER, OLGA, PETRA, PRICES, QUENTIN, RELAY, ROSA, SAMPLING, SETH, USD, fraction, gwei, milli,
    usd, whole, worse_relay,
};

pub(super) fn tell(days: &mut Days) {
    first_week(days);
    accusation(days);
    contradiction(days);
    third_week(days);
    fourth_week(days);
    present(days);
}

fn first_week(days: &mut Days) {
    days.go_to(4);
    days.ask("stratum", "thanks rosa for blobs served", pay_work(SAMPLING, MER, 3, &[(ROSA, whole(400))]));
    days.go_to(6);
    let split = ops::set_split::SetSplit {
        recipients: vec![Recipient { account: address("kira"), share: fraction(1_000) }],
    };
    days.ask("rosa", "gives a tenth of her commission away", Operation::SetSplit(split));
    days.go_to(7);
    days.ask("wanda", "proves a higher rate", report_rate(SETH, milli(1_004)));
    days.ask("alice", "claims with olga", claim(OLGA));
    days.ask("alice", "and with petra", claim(PETRA));
    days.go_to(8);
    let factor = fraction(9_000);
    let report = ops::report_performance::ReportPerformance { set: RELAY, operator: ROSA, factor };
    days.ask("harbor", "reports missed signatures", Operation::ReportPerformance(report));
    days.go_to(9);
    let work = [(OLGA, whole(120)), (PETRA, whole(200)), (QUENTIN, whole(180))];
    days.ask("meridian", "pays measured work", pay_work(PRICES, MER, 8, &work));
}

/// The data service accuses hugo; two of three resolvers object.
fn accusation(days: &mut Days) {
    days.go_to(10);
    let profit = ops::declare_profit::DeclareProfit { set: RELAY, profit: Amount::new(100_000_000_000) };
    days.ask("harbor", "declares what corrupting it would bring", Operation::DeclareProfit(profit));
    let request = ops::request_slash::RequestSlash {
        set: SAMPLING,
        operator: HUGO,
        capture: Epoch::new(9),
        fraction: fraction(1_000),
        reason: "samples of blob 7731 were not served".to_owned(),
        victims: Vec::new(),
    };
    days.ask("stratum", "accuses hugo", Operation::RequestSlash(request));
    days.go_to(11);
    for resolver in ["ines", "jonas"] {
        let veto = ops::veto_slash::VetoSlash { request: RequestId::new(0) };
        days.ask(resolver, "objects: the blob had expired", Operation::VetoSlash(veto));
    }
    days.ask("erin", "asks everything back", undelegate(PETRA, ETH, None, FollowUp::Free));
}

/// Petra signs two prices for one round; whoever sees it proves it, and it costs at once.
fn contradiction(days: &mut Days) {
    days.go_to(12);
    days.ask("dave", "reports what his validators earned", validator(0, 32_021_400_000));
    days.ask("dave", "and the other", validator(1, 32_019_800_000));
    days.go_to(13);
    let evidence = days.contradiction("petra", PRICES, 12, 1_840);
    let submit = ops::submit_equivocation::SubmitEquivocation { evidence };
    days.ask("wanda", "proves that petra signed two prices", Operation::SubmitEquivocation(submit));
    days.go_to(14);
    let to = format!("{}", address("bob"));
    let follow_up = FollowUp::Withdraw { to };
    days.ask("bob", "asks a part back", undelegate(PETRA, ETH, Some(whole(60)), follow_up));
    days.ask("wanda", "proves a higher rate", report_rate(SETH, milli(1_009)));
    days.ask("alice", "claims with olga", claim(OLGA));
}

fn validator(index: usize, balance: u128) -> Operation {
    report_validator("dave", VALIDATORS[index], gwei(balance))
}

fn third_week(days: &mut Days) {
    days.go_to(15);
    let grant = ops::grant::Grant {
        delegate: address("robot"),
        kinds: vec![Kind::Delegate, Kind::Claim],
        limits: vec![AssetLimit { asset: ETH, amount: whole(120) }],
        expires: Epoch::new(400),
    };
    days.ask(TREASURY, "lets its robot act within limits", Operation::Grant(grant));
    days.go_to(16);
    days.ask_for(TREASURY, "robot", "stakes for the treasury", delegate(QUENTIN, ETH, whole(100)));
    days.go_to(18);
    let unjail = ops::unjail::Unjail { set: PRICES };
    days.ask("petra", "returns to duty", Operation::Unjail(unjail));
    let commission = ops::set_commission::SetCommission { asset: ETH, commission: fraction(300) };
    days.ask("petra", "asks for less from now on", Operation::SetCommission(commission));
    days.ask("harbor", "pays more until winter", stream(RELAY, USD, usd(100), 40));
    days.go_to(20);
    days.ask("dave", "reports what his validators earned", validator(0, 32_040_100_000));
    days.ask("dave", "and a small loss of the other", validator(1, 31_988_000_000));
    let work = [(OLGA, whole(130)), (PETRA, whole(90)), (QUENTIN, whole(210))];
    days.ask("meridian", "pays measured work", pay_work(PRICES, MER, 19, &work));
    days.go_to(21);
    days.ask_for(TREASURY, "robot", "claims for the treasury", claim(OLGA));
    days.ask("hugo", "claims his commission", claim_settled());
    days.ask("wanda", "proves a higher rate", report_rate(SETH, milli(1_014)));
}

fn fourth_week(days: &mut Days) {
    days.go_to(25);
    days.ask("carol", "asks everything back", undelegate(QUENTIN, SETH, None, FollowUp::Free));
    days.go_to(26);
    let allocate = ops::allocate::Allocate {
        set: PRICES,
        asset: ETH,
        parts: 160,
        expected_parts: Some(128),
        expected_slashes: None,
    };
    days.ask("petra", "wants to give the oracle more, beyond her mandate", Operation::Allocate(allocate));
    days.ask("wanda", "fetches what is free", release("erin", PETRA, ETH));
    days.go_to(27);
    let change = ops::change_terms::ChangeTerms { set: RELAY, terms: worse_relay() };
    days.ask("harbor", "announces worse terms", Operation::ChangeTerms(change));
    let proceeds = ops::release_proceeds::ReleaseProceeds { slash: SlashId::new(0) };
    days.ask("wanda", "has the slashed stake paid out", Operation::ReleaseProceeds(proceeds));
    days.go_to(28);
    let consent = ops::consent::Consent { set: RELAY, terms: worse_relay().digest(RELAY) };
    days.ask("hugo", "consents to them", Operation::Consent(consent));
    let commission = ops::set_commission::SetCommission { asset: ETH, commission: fraction(800) };
    days.ask("rosa", "announces a higher commission", Operation::SetCommission(commission));
    days.ask("alice", "claims with olga", claim(OLGA));
    days.go_to(29);
    let victims = vec![Victim { account: address("uma"), asset: ETH, amount: milli(1_500) }];
    let request = ops::request_slash::RequestSlash {
        set: PRICES,
        operator: QUENTIN,
        capture: Epoch::new(28),
        fraction: Fraction::from_percent(2),
        reason: "the price of round 4410 was an hour old".to_owned(),
        victims,
    };
    days.ask("meridian", "accuses quentin", Operation::RequestSlash(request));
    days.ask("wanda", "fetches what is free", release("bob", PETRA, ETH));
}

/// What is under way when the visitor comes.
fn present(days: &mut Days) {
    days.go_to(super::PRESENT);
    days.ask("alice", "stakes more with hugo", delegate(HUGO, ETH, whole(25)));
    days.ask("ines", "objects to the accusation of quentin", {
        let veto = ops::veto_slash::VetoSlash { request: RequestId::new(1) };
        Operation::VetoSlash(veto)
    });
}
