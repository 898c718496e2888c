//! Tables for spreadsheets and notebooks: accounts and positions as they are at the head, rewards and slashes as they happened.
//!
//! Rows are written one by one, so a table of any size needs the memory of a row. Amounts are base units as text, and every row has the decimals of its asset
//! where it has an asset. It does not sum, convert or round anything.

use std::collections::BTreeMap;
use std::io::{self, Write};

use protocol::query::{self, PAGE_MAX, PositionState};
use protocol::units::{
    Address, Amount, AssetId, Epoch, Fraction, OperatorId, PoolId, RequestId, SetId, SlashId, StreamId,
};
use protocol::{Event, State};
use serde::Serialize;

use crate::fault::Fault;
use crate::reader::Reader;
use crate::receipt::Executed;

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// A row for each account and asset: what it has outside of pools.
    Accounts,
    /// A row for each entry of stake.
    Positions,
    /// A row for each payment and each claim, from the first block on.
    Rewards,
    /// A row for each step of a slash and, once it is executed, each pool that it took from, from the first block on.
    Slashes,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Accounts, Self::Positions, Self::Rewards, Self::Slashes];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Positions => "positions",
            Self::Rewards => "rewards",
            Self::Slashes => "slashes",
        }
    }
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values with a line of names (RFC 4180).
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// Why an export has ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The history can't be read.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The rows can't be written.
    #[error("writing the export failed: {0}; check the disk or who reads it, and start again")]
    Io(#[from] io::Error),
}

/// An account and an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountRow {
    /// The account.
    pub account: Address,
    /// The operator that it is.
    pub operator: Option<OperatorId>,
    /// The service that it is.
    pub service: Option<protocol::units::ServiceId>,
    /// The asset; none for an account that has nothing.
    pub asset: Option<AssetId>,
    /// Its decimals.
    pub decimals: Option<u8>,
    /// Free.
    pub free: Amount,
    /// Rewards settled and not yet claimed.
    pub claimable: Amount,
}

/// An entry of stake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionRow {
    /// Whose.
    pub account: Address,
    /// Its number.
    pub position: u32,
    /// With which operator.
    pub operator: OperatorId,
    /// In which pool.
    pub pool: PoolId,
    /// Of which asset.
    pub asset: AssetId,
    /// Its decimals.
    pub decimals: u8,
    /// Where it is in its life.
    pub state: PositionState,
    /// Base units as they were delegated.
    pub principal: Amount,
    /// What they are worth.
    pub worth: Amount,
    /// First epoch in which it is, or was, bonded.
    pub bonded_from: Epoch,
    /// Last epoch in which it is bonded.
    pub bonded_through: Option<Epoch>,
    /// The epoch at whose start it is free.
    pub free_at: Option<Epoch>,
}

/// A payment or a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RewardRow {
    /// The height of its block.
    pub height: u64,
    /// The time of its block, in milliseconds since 1970.
    pub time_ms: u64,
    /// `stream_paid`, `work_paid` or `claimed`.
    pub event: &'static str,
    /// For which epoch.
    pub epoch: Option<Epoch>,
    /// The stream.
    pub stream: Option<StreamId>,
    /// The set.
    pub set: Option<SetId>,
    /// Who claimed.
    pub account: Option<Address>,
    /// Who got it.
    pub to: Option<Address>,
    /// The token.
    pub token: Option<AssetId>,
    /// Its decimals.
    pub decimals: Option<u8>,
    /// How much.
    pub amount: Amount,
    /// What a stream did not spend.
    pub unspent: Option<Amount>,
    /// What of it was burnt.
    pub burnt: Option<Amount>,
}

/// A step of a slash, or what it took from one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SlashRow {
    /// The height of its block.
    pub height: u64,
    /// The time of its block, in milliseconds since 1970.
    pub time_ms: u64,
    /// `slash_requested`, `slash_vetoed`, `slash_approved`, `slash_lapsed`, `slashed` or `proceeds_released`.
    pub event: &'static str,
    /// The request.
    pub request: Option<RequestId>,
    /// The slash.
    pub slash: Option<SlashId>,
    /// For which set.
    pub set: Option<SetId>,
    /// Against whom.
    pub operator: Option<OperatorId>,
    /// When the offence happened.
    pub capture: Option<Epoch>,
    /// How much was asked for.
    pub asked: Option<Fraction>,
    /// How much was taken.
    pub taken: Option<Fraction>,
    /// Of which asset.
    pub asset: Option<AssetId>,
    /// Its decimals.
    pub decimals: Option<u8>,
    /// Taken from stakers, or released.
    pub amount: Option<Amount>,
    /// Paid by the operator's bond.
    pub bond: Option<Amount>,
    /// Who got what was released.
    pub to: Option<Address>,
    /// Why.
    pub reason: Option<String>,
}

/// Writes rows.
enum Rows<'a> {
    Csv(Box<csv::Writer<&'a mut dyn Write>>),
    Ndjson(&'a mut dyn Write),
}

impl Rows<'_> {
    /// The reason of a slash is any text of whoever asked for it. In CSV it must not be a formula of the spreadsheet that opens it.
    fn put_slash(&mut self, mut row: SlashRow) -> Result<(), ExportError> {
        if let (Self::Csv(_), Some(reason)) = (&*self, &mut row.reason)
            && reason.starts_with(['=', '+', '-', '@', '\t', '\r'])
        {
            reason.insert(0, '\'');
        }
        self.put(&row)
    }

    fn put<T: Serialize>(&mut self, row: &T) -> Result<(), ExportError> {
        match self {
            Self::Csv(writer) => writer.serialize(row).map_err(|error| match error.into_kind() {
                csv::ErrorKind::Io(error) => ExportError::Io(error),
                kind => ExportError::Io(io::Error::other(format!("{kind:?}"))),
            }),
            Self::Ndjson(writer) => {
                serde_json::to_writer(&mut *writer, row).map_err(io::Error::from)?;
                Ok(writer.write_all(b"\n")?)
            }
        }
    }
}

/// Writes a table of the ledger at its head. Returns how many rows it has.
///
/// # Errors
/// [`ExportError::Fault`], [`ExportError::Io`].
pub fn export(reader: &Reader, table: Table, form: Form, out: &mut dyn Write) -> Result<u64, ExportError> {
    let head = reader.head();
    let mut rows = match form {
        Form::Csv => Rows::Csv(Box::new(csv::Writer::from_writer(out))),
        Form::Ndjson => Rows::Ndjson(out),
    };
    let mut streams = Streams::new();
    let count = match table {
        Table::Accounts => accounts(&head.state, &mut |row| rows.put(&row))?,
        Table::Positions => positions(&head.state, &mut |row| rows.put(&row))?,
        Table::Rewards => history(reader, &mut |executed| {
            reward_rows(&head.state, executed, &mut streams)
                .iter()
                .try_fold(0, |count, row| rows.put(row).map(|()| count + 1))
        })?,
        Table::Slashes => history(reader, &mut |executed| {
            slash_rows(&head.state, executed)
                .into_iter()
                .try_fold(0, |count, row| rows.put_slash(row).map(|()| count + 1))
        })?,
    };
    match rows {
        Rows::Csv(mut writer) => writer.flush()?,
        Rows::Ndjson(writer) => writer.flush()?,
    }
    Ok(count)
}

fn decimals(state: &State, asset: AssetId) -> Option<u8> {
    query::asset(state, asset).map(|detail| detail.decimals)
}

/// Every account, page by page.
fn each_account(
    state: &State,
    visit: &mut dyn FnMut(&query::AccountDetail) -> Result<u64, ExportError>,
) -> Result<u64, ExportError> {
    let (mut after, mut count) = (None, 0);
    loop {
        let page = query::accounts(state, after, PAGE_MAX);
        for account in &page.items {
            count += visit(account)?;
        }
        after = page.items.last().map(|account| account.account);
        if page.next.is_none() || after.is_none() {
            return Ok(count);
        }
    }
}

fn accounts(
    state: &State,
    put: &mut dyn FnMut(AccountRow) -> Result<(), ExportError>,
) -> Result<u64, ExportError> {
    each_account(state, &mut |detail| {
        let row = |asset: Option<AssetId>, free, claimable| AccountRow {
            account: detail.account,
            operator: detail.operator,
            service: detail.service,
            asset,
            decimals: asset.and_then(|asset| decimals(state, asset)),
            free,
            claimable,
        };
        if detail.balances.is_empty() {
            put(row(None, Amount::ZERO, Amount::ZERO))?;
            return Ok(1);
        }
        for balance in &detail.balances {
            put(row(Some(balance.asset), balance.free, balance.claimable))?;
        }
        Ok(crate::cursor::wide(detail.balances.len()))
    })
}

fn positions(
    state: &State,
    put: &mut dyn FnMut(PositionRow) -> Result<(), ExportError>,
) -> Result<u64, ExportError> {
    each_account(state, &mut |detail| {
        for position in &detail.positions {
            put(PositionRow {
                account: detail.account,
                position: position.position,
                operator: position.operator,
                pool: position.pool,
                asset: position.asset,
                decimals: decimals(state, position.asset).unwrap_or(0),
                state: position.state,
                principal: position.principal,
                worth: position.worth,
                bonded_from: position.bonded_from,
                bonded_through: position.bonded_through,
                free_at: position.free_at,
            })?;
        }
        Ok(crate::cursor::wide(detail.positions.len()))
    })
}

/// Every block of the history, from the first to the head.
fn history(
    reader: &Reader,
    visit: &mut dyn FnMut(&Executed) -> Result<u64, ExportError>,
) -> Result<u64, ExportError> {
    reader.all_executed().try_fold(0, |count, executed| Ok(count + visit(executed?.as_ref())?))
}

/// Set and token of every stream that was opened so far: payments name the stream only.
type Streams = BTreeMap<StreamId, (SetId, AssetId)>;

/// What was paid and claimed in a block.
fn reward_rows(state: &State, executed: &Executed, streams: &mut Streams) -> Vec<RewardRow> {
    let header = &executed.header;
    let row = |event, token: Option<AssetId>, amount| RewardRow {
        height: header.height,
        time_ms: header.time_ms,
        event,
        epoch: None,
        stream: None,
        set: None,
        account: None,
        to: None,
        token,
        decimals: token.and_then(|token| decimals(state, token)),
        amount,
        unspent: None,
        burnt: None,
    };
    let rows = executed.events().filter_map(|event| match *event {
        Event::StreamOpened { stream, set, token, .. } => {
            streams.insert(stream, (set, token));
            None
        }
        Event::StreamPaid { stream, epoch, paid, unspent, burnt } => Some(RewardRow {
            epoch: Some(epoch),
            stream: Some(stream),
            set: streams.get(&stream).map(|(set, _)| *set),
            unspent: Some(unspent),
            burnt: Some(burnt),
            ..row("stream_paid", streams.get(&stream).map(|(_, token)| *token), paid)
        }),
        Event::WorkPaid { set, token, epoch, amount } => {
            Some(RewardRow { epoch: Some(epoch), set: Some(set), ..row("work_paid", Some(token), amount) })
        }
        Event::Claimed { account, token, amount, to } => {
            Some(RewardRow { account: Some(account), to: Some(to), ..row("claimed", Some(token), amount) })
        }
        _ => None,
    });
    rows.collect()
}

/// A row that says when, and nothing else.
fn blank_row(height: u64, time_ms: u64, event: &'static str) -> SlashRow {
    SlashRow {
        height,
        time_ms,
        event,
        request: None,
        slash: None,
        set: None,
        operator: None,
        capture: None,
        asked: None,
        taken: None,
        asset: None,
        decimals: None,
        amount: None,
        bond: None,
        to: None,
        reason: None,
    }
}

/// What happened with slashes in a block.
fn slash_rows(state: &State, executed: &Executed) -> Vec<SlashRow> {
    let row = |event| blank_row(executed.header.height, executed.header.time_ms, event);
    let mut rows = Vec::new();
    for event in executed.events() {
        match event {
            Event::SlashRequested { request, set, operator, capture, fraction, reason, .. } => {
                rows.push(SlashRow {
                    request: Some(*request),
                    set: Some(*set),
                    operator: Some(*operator),
                    capture: Some(*capture),
                    asked: Some(*fraction),
                    reason: Some(reason.clone()),
                    ..row("slash_requested")
                })
            }
            Event::SlashVetoed { request } => {
                rows.push(SlashRow { request: Some(*request), ..row("slash_vetoed") })
            }
            Event::SlashApproved { request, resolver, .. } => {
                rows.push(SlashRow { request: Some(*request), to: Some(*resolver), ..row("slash_approved") });
            }
            Event::SlashLapsed { request } => {
                rows.push(SlashRow { request: Some(*request), ..row("slash_lapsed") })
            }
            Event::Slashed { slash, set, operator, capture, asked, taken, reason, pools, .. } => {
                rows.extend(pools.iter().map(|pool| SlashRow {
                    slash: Some(*slash),
                    set: Some(*set),
                    operator: Some(*operator),
                    capture: Some(*capture),
                    asked: Some(*asked),
                    taken: Some(*taken),
                    asset: Some(pool.asset),
                    decimals: decimals(state, pool.asset),
                    amount: Some(pool.stake),
                    bond: Some(pool.bond),
                    reason: Some(reason.clone()),
                    ..row("slashed")
                }));
            }
            Event::ProceedsReleased { slash, asset, amount, to } => rows.push(SlashRow {
                slash: Some(*slash),
                asset: Some(*asset),
                decimals: decimals(state, *asset),
                amount: Some(*amount),
                to: Some(*to),
                ..row("proceeds_released")
            }),
            _ => {}
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_no_formula_in_a_spreadsheet_and_itself_elsewhere() {
        let reasons = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "late", "a=b", ""];
        let written = |form| {
            let mut bytes: Vec<u8> = Vec::new();
            let out: &mut dyn Write = &mut bytes;
            let mut rows = match form {
                Form::Csv => Rows::Csv(Box::new(csv::Writer::from_writer(out))),
                Form::Ndjson => Rows::Ndjson(out),
            };
            for reason in reasons {
                let row = SlashRow { reason: Some(reason.to_owned()), ..blank_row(1, 2, "slashed") };
                rows.put_slash(row).expect("memory takes it");
            }
            drop(rows);
            bytes
        };
        let table = written(Form::Csv);
        let mut table = csv::Reader::from_reader(table.as_slice());
        let cells =
            table.records().map(|record| record.expect("CSV").iter().next_back().expect("a cell").to_owned());
        let expected = ["'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(1)", "'\t=1", "'\r=1", "late", "a=b", ""];
        assert_eq!(cells.collect::<Vec<_>>(), expected);
        let lines = String::from_utf8(written(Form::Ndjson)).expect("text");
        let found = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        let found: Vec<_> = found.map(|row| row["reason"].as_str().map(str::to_owned)).collect();
        assert_eq!(found, reasons.map(|reason| Some(reason.to_owned())));
    }
}
