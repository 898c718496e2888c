//! What is scheduled that concerns an account, as a feed (RSS 2.0).

use ledger::Head;
use protocol::units::Address;
use sha2::{Digest as _, Sha256};

use crate::api::account::DatedNotice;
use crate::app::App;
use crate::text::{escaped, rfc822, utc};

/// The feed of an account's notices.
pub(crate) fn notices(app: &App, head: &Head, account: Address, notices: &[DatedNotice]) -> String {
    let title = format!("Notices of {account} on {}", app.domain.ledger);
    let now = rfc822(app.clock.machine_time_of(head.header.time_ms));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"><channel>\n<title>{}</title>\n<link>/v1/accounts/{account}/notices</link>\n\
         <description>What is scheduled that concerns the account, as of height {}</description>\n<lastBuildDate>{now}</lastBuildDate>\n",
        escaped(&title),
        head.header.height,
    );
    for dated in notices {
        let starts =
            dated.starts.map(|when| format!(" Counts from {} (epoch {}).", utc(when.wall_ms), when.epoch));
        let act = dated.act_before.map(|when| format!(" Act before {}.", utc(when.wall_ms)));
        let ways: Vec<&str> = dated.notice.ways.iter().map(|way| way.operation.as_str()).collect();
        let ways = if ways.is_empty() { String::new() } else { format!(" What helps: {}.", ways.join(", ")) };
        let details =
            format!("{}{}{}{ways}", dated.notice.text, starts.unwrap_or_default(), act.unwrap_or_default());
        text.push_str(&format!(
            "<item><title>{}</title><description>{}</description><guid isPermaLink=\"false\">{}</guid></item>\n",
            escaped(&dated.notice.text),
            escaped(&details),
            guid(account, &dated.notice),
        ));
    }
    text.push_str("</channel></rss>\n");
    text
}

/// The same notice has the same id at every height, until something about it changes.
fn guid(account: Address, notice: &protocol::query::Notice) -> String {
    let content = serde_json::to_vec(notice).expect("a notice is plain data");
    let digest = Sha256::new_with_prefix(account.0).chain_update(content).finalize();
    hex::encode(digest.get(..16).unwrap_or_default())
}
