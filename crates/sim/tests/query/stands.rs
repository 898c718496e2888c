//! An answer changes only if an entry changes that it is said to stand on, and entries can be shown.

use std::collections::BTreeMap;

use protocol::State;
use protocol::entries::{Key, show};
use protocol::query::{self, Read, stands_on};
use protocol::units::{
    Address, AssetId, Epoch, OperatorId, PoolId, RequestId, ServiceId, SetId, StreamId, ValidatorId,
};
use serde::Serialize;

use crate::{at_every_step, everybody};

/// The entries that an answer stood on, and the answer.
type Asked = (Vec<(Key, Option<Vec<u8>>)>, String);

fn text(answer: Option<impl Serialize>) -> String {
    serde_json::to_string(&answer).expect("an answer is plain data")
}

fn answer(state: &State, read: Read) -> String {
    match read {
        Read::Account(account) => text(query::account(state, account)),
        Read::Positions(account) => text(Some(query::positions(state, account))),
        Read::Asset(id) => text(query::asset(state, id)),
        Read::Operator(id) => text(query::operator(state, id)),
        Read::Pool(id) => text(query::pool(state, id)),
        Read::Service(id) => text(query::service(state, id)),
        Read::Set(id) => text(query::set(state, id)),
        Read::Table(id, epoch) => text(query::table(state, id, epoch)),
        Read::Request(id) => text(query::request(state, id)),
        Read::Stream(id) => text(query::stream(state, id)),
        Read::Pod(id) => text(query::pod(state, id)),
        Read::Exposure(account) => text(Some(query::exposure(state, account))),
        Read::Rewards(account) => text(Some(query::earnings(state, account))),
        Read::Exits(account) => text(Some(query::exits(state, account))),
    }
}

fn all_reads(state: &State) -> Vec<Read> {
    let counts = query::ledger(state).counts;
    let mut reads: Vec<Read> = Vec::new();
    for account in everybody(state) {
        reads.extend([Read::Account(account), Read::Positions(account)]);
        reads.extend(questions(account));
    }
    reads.extend((0..counts.assets).map(|id| Read::Asset(AssetId::new(id))));
    reads.extend((0..counts.operators).map(|id| Read::Operator(OperatorId::new(id))));
    reads.extend((0..counts.pools).map(|id| Read::Pool(PoolId::new(id))));
    reads.extend((0..counts.services).map(|id| Read::Service(ServiceId::new(id))));
    for id in (0..counts.sets).map(SetId::new) {
        let before = Epoch::new(state.epoch().number().saturating_sub(2));
        reads.extend([Read::Set(id), Read::Table(id, state.epoch()), Read::Table(id, before)]);
    }
    reads.extend((0..counts.requests_ever).map(|id| Read::Request(RequestId::new(id))));
    let streams = query::streams(state, None, None, 1000).items;
    reads.extend(streams.into_iter().map(|stream| Read::Stream(stream.stream)));
    reads.push(Read::Stream(StreamId::new(4_000_000)));
    reads.extend(query::pods(state, None, 1000).items.into_iter().map(|pod| Read::Pod(pod.validator)));
    reads.push(Read::Pod(ValidatorId::new(0)));
    reads
}

/// The three questions of an account.
fn questions(account: Address) -> [Read; 3] {
    [Read::Exposure(account), Read::Rewards(account), Read::Exits(account)]
}

/// What was asked before, how often an answer stood on the same entries as then, and how often it changed.
#[derive(Default)]
struct Compared {
    before: BTreeMap<String, Asked>,
    same: u64,
    other: u64,
}

impl Compared {
    fn ask(&mut self, state: &State, reads: Vec<Read>, at: &str) {
        for read in reads {
            let entries: Vec<_> =
                stands_on(state, &read).into_iter().map(|key| (key, state.entry(&key))).collect();
            let now = answer(state, read);
            let name = format!("{read:?}");
            if let Some((known, then)) = self.before.get(&name) {
                if *known == entries {
                    assert_eq!(now, *then, "{at}: {name}");
                    self.same += 1;
                } else {
                    self.other += u64::from(now != *then);
                }
            }
            self.before.insert(name, (entries, now));
        }
    }
}

#[test]
fn an_answer_changes_only_with_the_entries_that_it_stands_on() {
    let mut compared = Compared::default();
    at_every_step(500, |state, is_first, at| {
        if is_first {
            compared.before.clear();
        }
        compared.ask(state, all_reads(state), at);
    });
    let Compared { same, other, .. } = compared;
    assert!(same > 10_000 && other > 900, "{same} answers stood on the same entries, {other} changed");
}

#[test]
fn answers_about_shares_of_vaults_change_only_with_their_entries() {
    let (mut compared, mut refused) = (Compared::default(), 0_u64);
    for seed in 0..4 {
        compared.before.clear();
        let mut look = |state: &State| {
            let mut reads: Vec<Read> = everybody(state).into_iter().flat_map(questions).collect();
            let all = reads.len();
            reads.retain(|read| query::unbounded(state, read).is_none());
            refused += u64::try_from(all - reads.len()).expect("few");
            compared.ask(state, reads, &format!("seed {seed}"));
        };
        sim::vaults::watch(seed, 120, &mut look).expect("the book agrees");
    }
    let Compared { same, other, .. } = compared;
    assert!(same > 500 && other > 500, "{same} answers stood on the same entries, {other} changed");
    assert!(refused > 500, "{refused} answers have no bound");
}

#[test]
fn every_entry_can_be_shown_with_the_names_of_its_fields() {
    let mut shown: BTreeMap<String, u64> = BTreeMap::new();
    crate::at_many_moments(520, |state, prng, at| {
        if !prng.chance(10) {
            return;
        }
        for key in state.keys() {
            let bytes = state.entry(&key).expect("a key of the state has an entry");
            let field = show(&key, &bytes).unwrap_or_else(|why| panic!("{at}: {key}: {why}"));
            let value = serde_json::to_value(&field).expect("fields are plain data");
            assert!(value.is_object() || value.is_array(), "{key} is {value}");
            if let Key::Asset(id) = key {
                let detail = query::asset(state, id).expect("an asset");
                assert_eq!(
                    value["deposited"],
                    serde_json::to_value(detail.deposited).expect("an amount"),
                    "{at}"
                );
                assert_eq!(value["decimals"], detail.decimals, "{at}");
            }
            let sort = key.to_string().split('/').next().unwrap_or_default().to_owned();
            *shown.entry(sort).or_default() += 1;
            let mut broken = bytes.clone();
            broken.push(0);
            assert!(show(&key, &broken).is_err(), "{key} with a byte too many");
        }
    });
    assert!(shown.len() >= 14, "{shown:?}");
}
