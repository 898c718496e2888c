//! The tables of the page. All figures come from the query layer; here they are only written down.

use std::fmt::Write;

use ledger::{Head, Outcome};
use protocol::query;
use protocol::units::Fraction;

use super::{ROWS_MAX, put};
use crate::app::App;
use crate::slashes::Status;
use crate::text::{amount, escaped};

/// The newest blocks whose operations are shown.
const BLOCKS_SHOWN: u64 = 200;
/// The most names that are looked up for their stake.
const NAMES_ASKED: usize = 200;
/// The newest operations that are shown.
const OPERATIONS_SHOWN: usize = 15;

/// A column: its title, and whether numbers stand in it.
struct Column(&'static str, bool);

/// A table with a sentence that says what it shows.
struct Table<'a> {
    title: &'a str,
    about: &'a str,
    columns: &'a [Column],
}

impl Table<'_> {
    fn write(&self, html: &mut String, rows: &[Vec<String>], more: Option<&str>) {
        put!(html, "<h2>{}</h2><p>{}</p>", self.title, self.about);
        if rows.is_empty() {
            html.push_str("<p>None yet.</p>");
            return;
        }
        let class = |column: Option<&Column>| {
            if column.is_some_and(|Column(_, number)| *number) { " class=\"n\"" } else { "" }
        };
        html.push_str("<div><table><thead><tr>");
        for column in self.columns {
            put!(html, "<th scope=\"col\"{}>{}</th>", class(Some(column)), column.0);
        }
        html.push_str("</tr></thead><tbody>");
        for row in rows {
            html.push_str("<tr>");
            for (index, cell) in row.iter().enumerate() {
                put!(html, "<td{}>{}</td>", class(self.columns.get(index)), escaped(cell));
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table></div>");
        if let Some(path) = more {
            put!(html, "<p>The first {ROWS_MAX}; <a href=\"{path}\">the API</a> has all.</p>");
        }
    }
}

/// A part as a percentage, such as `42.5 %`.
fn percent(part: Fraction) -> String {
    let steps = u128::from(part.steps()).saturating_mul(100);
    let whole = u128::from(Fraction::STEPS);
    let (hundredths, rest) = (steps / whole, steps % whole * 100 / whole);
    let rest = format!("{rest:02}");
    match rest.trim_end_matches('0') {
        "" => format!("{hundredths} %"),
        rest => format!("{hundredths}.{rest} %"),
    }
}

impl App {
    /// The label of a thing, or its number.
    fn name(&self, thing: &str, number: u32) -> String {
        let label = self.labels.name_of(&format!("{thing}/{number}"));
        label.map_or_else(|| number.to_string(), str::to_owned)
    }
}

pub(super) fn assets(app: &App, head: &Head, html: &mut String) {
    let page = query::assets(&head.state, None, ROWS_MAX);
    let row = |asset: &query::AssetDetail| {
        let of = |value| amount(head, asset.asset, value);
        vec![
            app.name("asset", asset.asset.number()),
            of(asset.supply),
            of(asset.deposited),
            of(asset.gained),
            of(asset.withdrawn),
            of(asset.burnt),
            of(asset.lost),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    let table = Table {
        title: "Assets",
        about: "Everything that came is on the ledger, was withdrawn, burnt by slashes, or lost by validators elsewhere.",
        columns: &[
            Column("Asset", false),
            Column("On the ledger", true),
            Column("Deposited", true),
            Column("Gained", true),
            Column("Withdrawn", true),
            Column("Burnt", true),
            Column("Lost", true),
        ],
    };
    table.write(html, &rows, page.next.map(|_| "/v1/assets"));
}

pub(super) fn pools(app: &App, head: &Head, html: &mut String) {
    let page = query::operators(&head.state, None, ROWS_MAX);
    let mut rows = Vec::new();
    for operator in &page.items {
        for pool in operator.pools.iter().map(|pool| &pool.view) {
            rows.push(vec![
                app.name("operator", operator.operator.number()),
                app.name("asset", pool.asset.number()),
                amount(head, pool.asset, pool.bonded),
                amount(head, pool.asset, pool.joining),
                amount(head, pool.asset, pool.leaving),
                percent(pool.worst_case),
            ]);
        }
    }
    let table = Table {
        title: "Pools",
        about: "Stake by operator. The worst case is what all sets together could take of it within one window.",
        columns: &[
            Column("Operator", false),
            Column("Asset", false),
            Column("Bonded", true),
            Column("Joining", true),
            Column("Leaving", true),
            Column("Worst case", true),
        ],
    };
    table.write(html, &rows, page.next.map(|_| "/v1/operators"));
}

pub(super) fn vaults(app: &App, head: &Head, html: &mut String) {
    let page = query::vaults(&head.state, None, ROWS_MAX);
    let state = |vault: &query::VaultDetail| match (vault.is_winding_down, vault.deposits_stopped_until) {
        (true, _) => "winding down",
        (false, Some(_)) => "deposits stopped",
        (false, None) => "open",
    };
    let row = |vault: &query::VaultDetail| {
        let asset = vault.asset;
        vec![
            app.name("vault", vault.vault.number()),
            app.name("asset", asset.number()),
            amount(head, asset, vault.rate.nav),
            amount(head, asset, vault.rate.pending_total),
            amount(head, asset, vault.queue.worth),
            amount(head, asset, vault.buckets.idle),
            percent(vault.concentration),
            state(vault).to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    let table = Table {
        title: "Vaults",
        about: "Pools of stake with shares. What open requests to slash could take is in the low price at once; who waits to leave bears losses \
                like all others.",
        columns: &[
            Column("Vault", false),
            Column("Asset", false),
            Column("Worth", true),
            Column("Open slashes", true),
            Column("Waiting to leave", true),
            Column("Idle", true),
            Column("Concentration", true),
            Column("State", false),
        ],
    };
    table.write(html, &rows, page.next.map(|_| "/v1/vaults"));
}

pub(super) fn sets(app: &App, head: &Head, html: &mut String) {
    let page = query::sets(&head.state, None, ROWS_MAX);
    let state = |set: &query::SetDetail| match (set.is_closed, set.under_since) {
        (true, _) => "closed",
        (false, Some(_)) => "under-collateralised",
        (false, None) => "open",
    };
    let row = |set: &query::SetDetail| {
        vec![
            app.name("set", set.set.number()),
            app.name("service", set.service.number()),
            set.members.len().to_string(),
            set.secured.to_string(),
            set.profit.to_string(),
            state(set).to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    let table = Table {
        title: "Operator sets",
        about: "What a service may lose to corruption (declared) must stay below what attackers would lose (secured). Both in units of value.",
        columns: &[
            Column("Set", false),
            Column("Service", false),
            Column("Operators", true),
            Column("Secured", true),
            Column("Declared", true),
            Column("State", false),
        ],
    };
    table.write(html, &rows, page.next.map(|_| "/v1/sets"));
}

/// The newest slashes and requests of the whole history.
pub(super) fn slashes(app: &App, head: &Head, html: &mut String) {
    let table = Table {
        title: "Slashes and requests to slash",
        about: "Of the whole history, the newest first. What is open can still be vetoed, executed, or lapse.",
        columns: &[
            Column("Case", true),
            Column("Set", false),
            Column("Operator", false),
            Column("Offence in epoch", true),
            Column("Asked", true),
            Column("Taken", true),
            Column("Became", false),
            Column("Why", false),
        ],
    };
    let Ok((cases, more)) = app.newest_cases(head.header.height, ROWS_MAX) else {
        put!(html, "<h2>{}</h2><p>The node still reads its history.</p>", table.title);
        return;
    };
    let word = |status: Status| match status {
        Status::Open => "open",
        Status::Executed => "executed",
        Status::Vetoed => "vetoed",
        Status::Lapsed => "lapsed",
    };
    let row = |case: &crate::api::slashes::SlashCase| {
        vec![
            case.case.to_string(),
            app.name("set", case.set.number()),
            app.name("operator", case.operator.number()),
            case.capture.to_string(),
            percent(case.asked),
            case.taken.map_or_else(String::new, percent),
            word(case.status).to_owned(),
            case.reason.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = cases.iter().map(row).collect();
    table.write(html, &rows, more.then_some("/v1/slashes"));
}

/// The three questions, for everybody whom the node knows by name.
pub(super) fn accounts(app: &App, head: &Head, html: &mut String) {
    let entries = |address: &str| {
        let view = address.parse().ok().and_then(|address| query::account(&head.state, address));
        view.map_or(0, |view| view.stakes.len())
    };
    let named = app.labels.iter().filter_map(|(key, label)| Some((key.strip_prefix("account/")?, label)));
    let mut named: Vec<(&str, usize)> = named
        .take(NAMES_ASKED)
        .map(|(address, label)| (label, entries(address)))
        .filter(|(_, entries)| *entries > 0)
        .collect();
    named.sort_unstable();
    named.truncate(ROWS_MAX);
    if named.is_empty() {
        return;
    }
    html.push_str(
        "<h2>Three questions</h2><p>For the accounts with stake that this node knows by name; any address will do in the place of a name.</p>\
         <div><table><thead><tr><th scope=\"col\">Account</th><th scope=\"col\" class=\"n\">Entries of stake</th><th scope=\"col\">Ask</th></tr></thead><tbody>",
    );
    for (label, entries) in named {
        let label = escaped(label);
        put!(
            html,
            "<tr><td>{label}</td><td class=\"n\">{entries}</td><td><a href=\"/v1/accounts/{label}/rewards\">what do I earn?</a> \
             <a href=\"/v1/accounts/{label}/exposure\">what can slash me?</a> <a href=\"/v1/accounts/{label}/exits\">when am I out?</a> \
             (<a href=\"/v1/accounts/{label}/exits.ics\">calendar</a>, <a href=\"/v1/accounts/{label}/notices.rss\">feed</a>)</td></tr>"
        );
    }
    html.push_str("</tbody></table></div>");
}

pub(super) fn operations(app: &App, head: &Head, html: &mut String) {
    let newest = head.header.height;
    let mut rows = Vec::new();
    for height in (newest.saturating_sub(BLOCKS_SHOWN)..=newest).rev() {
        if rows.len() >= OPERATIONS_SHOWN {
            break;
        }
        let Ok(Some(block)) = app.reader.executed(height) else { break };
        for receipt in block.receipts.iter().rev().take(OPERATIONS_SHOWN.saturating_sub(rows.len())) {
            let outcome = match &receipt.outcome {
                Outcome::Applied { .. } => "applied".to_owned(),
                Outcome::Refused { code, .. } => format!("refused: {code}"),
            };
            let account = receipt.account.to_string();
            let name = app.labels.name_of(&format!("account/{account}")).map(str::to_owned);
            let kind = receipt.kind.name().to_owned();
            rows.push(vec![height.to_string(), kind, name.unwrap_or(account), outcome]);
        }
    }
    let table = Table {
        title: "Newest operations",
        about: "Applied or refused, each is in a block for ever.",
        columns: &[
            Column("Height", true),
            Column("Operation", false),
            Column("Account", false),
            Column("Outcome", false),
        ],
    };
    table.write(html, &rows, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_written_as_percentages() {
        for (part, text) in
            [("0", "0 %"), ("0.425", "42.5 %"), ("1", "100 %"), ("0.0101", "1.01 %"), ("0.00001", "0 %")]
        {
            assert_eq!(percent(part.parse().expect("a fraction")), text);
        }
    }
}
