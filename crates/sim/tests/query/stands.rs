//! An answer changes only if an entry changes that it is said to stand on, and entries can be shown.

use std::collections::BTreeMap;

use protocol::State;
use protocol::entries::{Key, show};
use protocol::query::{self, Read, stands_on};
use protocol::units::{
    AssetId, Epoch, OperatorId, PoolId, RequestId, ServiceId, SetId, StreamId, ValidatorId,
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
    }
}

fn all_reads(state: &State) -> Vec<Read> {
    let counts = query::ledger(state).counts;
    let mut reads: Vec<Read> = Vec::new();
    for account in everybody(state) {
        reads.extend([Read::Account(account), Read::Positions(account)]);
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

#[test]
fn an_answer_changes_only_with_the_entries_that_it_stands_on() {
    let mut before: BTreeMap<String, Asked> = BTreeMap::new();
    let (mut same, mut other) = (0_u64, 0_u64);
    at_every_step(500, |state, is_first, at| {
        if is_first {
            before.clear();
        }
        for read in all_reads(state) {
            let entries: Vec<_> =
                stands_on(state, &read).into_iter().map(|key| (key, state.entry(&key))).collect();
            let now = answer(state, read);
            let name = format!("{read:?}");
            if let Some((known, then)) = before.get(&name) {
                if *known == entries {
                    assert_eq!(now, *then, "{at}: {name}");
                    same += 1;
                } else {
                    other += u64::from(now != *then);
                }
            }
            before.insert(name, (entries, now));
        }
    });
    assert!(same > 10_000 && other > 900, "{same} answers stood on the same entries, {other} changed");
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
