//! Answers whose numbers are worked out by hand: the examples of the pages about figures.

mod earned;
mod lists;
mod world;

use protocol::ops;
use protocol::query::{self, ExitState, Figure, NoticeKind, OffenceKind, PositionState, Verdict, When};
use protocol::units::{Address, Epoch, PoolId, RequestId};
use protocol::{FollowUp, Operation, advance_epoch};
use world::*;

#[test]
fn the_example_of_the_three_questions_is_right() {
    let mut state = example();
    let [entry] = <[_; 1]>::try_from(query::exposure(&state, ALICE).positions).expect("one entry");
    assert_eq!((entry.state, entry.worth), (PositionState::Bonded, units(1000)));
    assert_eq!(
        (entry.worst_case.amount, entry.worst_case.fraction.to_string()),
        (units(225), "0.225".to_owned())
    );
    let lost: Vec<_> = entry.sets.iter().map(|set| (set.set, set.parts, set.worst_case.amount)).collect();
    assert_eq!(lost, [(ORACLE, 128, units(100)), (BRIDGE, 64, units(125))]);
    assert!(entry.sets.iter().all(|set| set.when == When::Now && set.liable_through.is_none()));

    announce_worse_bridge(&mut state);
    let exposure = query::exposure(&state, ALICE);
    let entry = &exposure.positions[0];
    assert_eq!(entry.worst_case.amount, units(250), "what she faces if she does nothing");
    assert_eq!(entry.if_asked_back_now.amount, units(225), "what she could lose if she leaves");
    assert_eq!(exposure.totals[0].worst_case.amount, units(250));
    let announced = entry.sets[1].announced.as_ref().expect("the bridge has announced terms");
    assert_eq!((announced.from, announced.undelegate_by), (Epoch::new(9), Epoch::new(8)));
    assert!(announced.is_worse && !announced.consented);
    assert_eq!(announced.worst_case.amount, units(150));

    // In the last epoch it helps, in the next it does not.
    while state.epoch() < announced.undelegate_by {
        advance_epoch(&mut state);
    }
    let consent = ops::consent::Consent { set: BRIDGE, terms: announced.digest };
    ask(&mut state, OPERATOR, Operation::Consent(consent));
    assert_eq!(query::exposure(&state, ALICE).positions[0].if_asked_back_now.amount, units(225));
    advance_epoch(&mut state);
    assert_eq!(query::exposure(&state, ALICE).positions[0].if_asked_back_now.amount, units(250));
}

#[test]
fn who_decides_is_said_of_every_offence() {
    let state = example();
    let entry = &query::exposure(&state, ALICE).positions[0];
    let [oracle, bridge] = [&entry.sets[0].offences, &entry.sets[1].offences];
    assert_eq!((oracle[0].kind, &oracle[0].verdict), (OffenceKind::Equivocation, &Verdict::BuiltIn));
    assert_eq!(oracle[0].fraction, percent(10));
    let judged = |resolvers: Vec<Address>, threshold, veto| Verdict::Judged {
        slasher: SERVICE,
        resolvers,
        threshold,
        veto,
    };
    assert_eq!(oracle[1].verdict, judged(vec![RESOLVER], Some(1), 3));
    assert_eq!(oracle[1].fraction, percent(20), "90 % is cut by the window cap");
    assert_eq!(bridge[1].verdict, judged(Vec::new(), None, 0), "nobody can veto for the bridge");
}

#[test]
fn an_entry_is_told_when_it_is_out_in_each_state() {
    let mut state = example();
    ask(&mut state, ALICE, delegate(500));
    let exits = query::exits(&state, ALICE).positions;
    let joining = exits.iter().find_map(|exit| match &exit.exit {
        ExitState::Joining { bonded_from, take_back_until, cancel } => {
            Some((exit.amount, *bonded_from, *take_back_until, cancel.operation.clone()))
        }
        _ => None,
    });
    assert_eq!(joining, Some((units(500), Epoch::new(2), Epoch::new(1), "undelegate".to_owned())));
    let bonded = exits.iter().find_map(|exit| match &exit.exit {
        ExitState::Bonded { bonded_through, free_at, could_lose, punishable_until, .. } => {
            Some((*bonded_through, *free_at, could_lose.amount, *punishable_until))
        }
        _ => None,
    });
    // U is 14, W + V + X is 14.
    assert_eq!(bonded, Some((Epoch::new(1), Epoch::new(16), units(225), Epoch::new(15))));

    let (amount, follow_up) = (Some(units(1100)), FollowUp::Withdraw { to: "0xabc".to_owned() });
    let undelegate =
        ops::undelegate::Undelegate { operator: OLGA, asset: ETH, amount, validator: None, follow_up };
    ask(&mut state, ALICE, Operation::Undelegate(undelegate));
    let exits = query::exits(&state, ALICE).positions;
    let leaving = exits.iter().find_map(|exit| match &exit.exit {
        ExitState::Unbonding { free_at, follow_up, sets, could_lose, .. } => {
            Some((exit.amount, *free_at, follow_up.clone(), sets.clone(), could_lose.amount))
        }
        _ => None,
    });
    let follow_up = FollowUp::Withdraw { to: "0xabc".to_owned() };
    assert_eq!(leaving, Some((units(1000), Epoch::new(16), follow_up, vec![ORACLE, BRIDGE], units(225))));
    for _ in 0..15 {
        advance_epoch(&mut state);
    }
    let exits = query::exits(&state, ALICE).positions;
    let is_free =
        |exit: &query::Exit| matches!(exit.exit, ExitState::Free { since, .. } if since == Epoch::new(16));
    assert!(exits.iter().any(is_free), "{exits:?}");
    let exposure = query::exposure(&state, ALICE).positions;
    assert_eq!(exposure.len(), 1, "what is free is exposed to nothing: {exposure:?}");
    assert_eq!(exposure[0].worth, units(400));
}

#[test]
fn a_stream_pays_what_is_expected() {
    let mut state = example();
    ask(&mut state, SERVICE, deposit(10_000));
    let stream = ops::open_stream::OpenStream { set: ORACLE, token: ETH, per_epoch: units(200), epochs: 10 };
    ask(&mut state, SERVICE, Operation::OpenStream(stream));
    assert!(query::earnings(&state, ALICE).expected.is_empty(), "it pays from the next epoch on");
    advance_epoch(&mut state);
    // Olga is alone in the set: 200 are hers, a tenth is commission, and alice is alone in the pool.
    let earnings = query::earnings(&state, ALICE);
    assert_eq!(earnings.expected[0].amount, units(180));
    assert_eq!(earnings.positions[0].expected[0].set, ORACLE);
    assert_eq!(
        query::earnings(&state, OPERATOR).commission.expect("an operator").expected[0].amount,
        units(20)
    );
    advance_epoch(&mut state);
    let earnings = query::earnings(&state, ALICE);
    let claimable = &earnings.claimable[0];
    assert_eq!((claimable.settled, claimable.unsettled, claimable.total), (units(0), units(180), units(180)));
    let settled = query::earnings(&state, OPERATOR).claimable[0].settled;
    assert_eq!(settled, units(20));
    let figure = Figure::Claimable { account: ALICE, token: ETH };
    assert_eq!(query::explain(&state, &figure).expect("a figure").value, "180");
}

#[test]
fn what_is_coming_is_told_to_whom_it_concerns() {
    let mut state = example();
    announce_worse_bridge(&mut state);
    let kinds = |account| {
        let mut kinds: Vec<_> =
            query::notices(&state, account).into_iter().map(|notice| notice.kind).collect();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds(ALICE), [NoticeKind::TermsAnnounced]);
    assert_eq!(kinds(OPERATOR), [NoticeKind::ConsentNeeded]);
    assert_eq!(kinds(RESOLVER), []);
    let notice = &query::notices(&state, ALICE)[0];
    assert_eq!((notice.from, notice.act_by), (Some(Epoch::new(9)), Some(Epoch::new(8))));
    let ways: Vec<_> = notice.ways.iter().map(|way| (way.operation.as_str(), way.by)).collect();
    assert_eq!(ways, [("undelegate", Some(ALICE)), ("withdraw_terms", Some(SERVICE))]);

    let request = ops::request_slash::RequestSlash {
        set: ORACLE,
        operator: OLGA,
        capture: Epoch::new(1),
        fraction: percent(10),
        reason: "late".to_owned(),
        victims: Vec::new(),
    };
    ask(&mut state, SERVICE, Operation::RequestSlash(request));
    let told = &query::notices(&state, ALICE)[0];
    assert_eq!((told.kind, told.from), (NoticeKind::SlashRequested, Some(Epoch::new(5))));
    let against = &query::exposure(&state, ALICE).positions[0].requests[0];
    assert_eq!((against.request, against.at_most.amount), (RequestId::new(0), units(50)));
    assert_eq!((against.veto_until, against.lapses_after), (Some(Epoch::new(4)), Epoch::new(6)));
    assert_eq!(query::notices(&state, RESOLVER)[0].kind, NoticeKind::VetoOpen);
    let detail = query::request(&state, RequestId::new(0)).expect("a request");
    assert_eq!((detail.takes, detail.at_most[0].amount), (percent(10), units(50)));
}

#[test]
fn an_operator_is_told_what_it_has_announced_itself() {
    let mut state = example();
    assert_eq!(query::notices(&state, OPERATOR), []);
    let commission = ops::set_commission::SetCommission { asset: ETH, commission: percent(15) };
    ask(&mut state, OPERATOR, Operation::SetCommission(commission));
    let mut wider = mandate();
    wider.worst_case = percent(60);
    let change = ops::change_mandate::ChangeMandate { asset: ETH, mandate: wider };
    ask(&mut state, OPERATOR, Operation::ChangeMandate(change));
    let allocate = ops::allocate::Allocate {
        set: BRIDGE,
        asset: ETH,
        parts: 96,
        expected_parts: None,
        expected_slashes: None,
    };
    ask(&mut state, OPERATOR, Operation::Allocate(allocate));
    ask(&mut state, OPERATOR, Operation::LeaveSet(ops::leave_set::LeaveSet { set: ORACLE }));

    let told = query::notices(&state, OPERATOR);
    let of = |kind: NoticeKind| {
        told.iter().find(|notice| notice.kind == kind).unwrap_or_else(|| panic!("{kind:?}: {told:#?}"))
    };
    let way = |kind| {
        let notice = of(kind);
        let ways: Vec<_> =
            notice.ways.iter().map(|way| (way.operation.as_str(), way.by, way.until)).collect();
        (notice.from, ways)
    };
    // What stakers are told by the same notices, with the operator's own way back.
    let announced = [
        (NoticeKind::MandateAnnounced, "change_mandate"),
        (NoticeKind::CommissionAnnounced, "set_commission"),
        (NoticeKind::AllocationOrdered, "allocate"),
    ];
    let to_alice = query::notices(&state, ALICE);
    for (kind, operation) in announced {
        let theirs = to_alice.iter().find(|notice| notice.kind == kind).unwrap_or_else(|| panic!("{kind:?}"));
        let from = theirs.from.expect("it is scheduled");
        assert_eq!(
            way(kind),
            (Some(from), vec![(operation, Some(OPERATOR), Some(from.previous()))]),
            "{kind:?}"
        );
    }
    let left = of(NoticeKind::LeftSet);
    assert_eq!((left.subject.set, left.from, left.ways.len()), (Some(ORACLE), Some(Epoch::new(2)), 0));
    assert!(left.text.contains("epoch 1 is its last on duty"), "{}", left.text);
    // W + V + X is 14: the epoch on duty is punishable through epoch 15, and then there is nothing more to tell.
    while state.epoch() < Epoch::new(15) {
        advance_epoch(&mut state);
    }
    let kinds = |state: &protocol::State| -> Vec<NoticeKind> {
        query::notices(state, OPERATOR).iter().map(|notice| notice.kind).collect()
    };
    assert_eq!(kinds(&state), [NoticeKind::LeftSet]);
    advance_epoch(&mut state);
    assert_eq!(kinds(&state), []);
}

#[test]
fn a_figure_shows_its_inputs_and_where_they_are_stored() {
    let state = example();
    let position = query::positions(&state, ALICE)[0].position;
    let figure = Figure::PositionWorstCase { account: ALICE, position };
    let explained = query::explain(&state, &figure).expect("a figure");
    assert_eq!((explained.value.as_str(), explained.unit.as_str()), ("225", "base units of asset 0"));
    let sources: Vec<_> =
        explained.inputs.iter().map(|input| (input.name.as_str(), input.source.as_str())).collect();
    let entry = format!("position/{ALICE}/0/{position}");
    assert_eq!(sources[0], ("principal", entry.as_str()));
    let caps: Vec<_> = explained
        .inputs
        .iter()
        .filter(|input| input.name == "slice")
        .flat_map(|slice| slice.inputs.iter().filter(|input| input.name == "kept"))
        .map(|kept| kept.value.as_str())
        .collect();
    assert_eq!(caps, ["0.8", "0.5"]);
    let read =
        serde_json::from_str::<Figure>(r#"{"figure":"pool_worst_case","pool":0}"#).expect("a question");
    assert_eq!(read, Figure::PoolWorstCase { pool: PoolId::new(0) });
    assert_eq!(query::explain(&state, &read).expect("a figure").value, "0.225");
}

#[cfg(feature = "schema")]
#[test]
fn every_answer_has_a_schema() {
    let mut generator = schemars::SchemaGenerator::default();
    for schema in [
        generator.subschema_for::<query::AccountDetail>(),
        generator.subschema_for::<query::Page<query::SetDetail>>(),
        generator.subschema_for::<query::ExposureAnswer>(),
        generator.subschema_for::<query::ExitsAnswer>(),
        generator.subschema_for::<query::EarningsAnswer>(),
        generator.subschema_for::<Vec<query::Notice>>(),
        generator.subschema_for::<query::Explained>(),
        generator.subschema_for::<query::LedgerView>(),
    ] {
        assert!(schema.as_object().is_some());
    }
    assert!(generator.definitions().len() > 40, "{} records have a schema", generator.definitions().len());
}
