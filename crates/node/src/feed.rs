//! What is scheduled that concerns an account, and the slashes that hit operators with its stake, as a feed (RSS 2.0).

use ledger::Head;
use protocol::units::Address;
use sha2::{Digest as _, Sha256};

use crate::api::account::DatedNotice;
use crate::app::App;
use crate::http::problem::Problem;
use crate::text::{escaped, rfc822, utc};
use crate::topics::Interest;

/// The most slashes of a feed: the newest.
const SLASHES_MAX: usize = 50;

/// An entry of a feed.
struct Item {
    title: String,
    description: String,
    /// The same for as long as nothing about it changes.
    guid: String,
    /// When it happened, in milliseconds since 1970; none for what is still to come.
    wall_ms: Option<u64>,
}

impl Item {
    fn write(&self, text: &mut String) {
        let date = self.wall_ms.map_or_else(String::new, |ms| format!("<pubDate>{}</pubDate>", rfc822(ms)));
        text.push_str(&format!(
            "<item><title>{}</title><description>{}</description><guid isPermaLink=\"false\">{}</guid>{date}</item>\n",
            escaped(&self.title),
            escaped(&self.description),
            escaped(&self.guid),
        ));
    }
}

/// The feed of an account: slashes first, the newest at the top, then what is scheduled.
///
/// # Errors
/// The slashes can't be read (yet).
pub(crate) fn notices(
    app: &App,
    head: &Head,
    account: Address,
    notices: &[DatedNotice],
) -> Result<String, Problem> {
    let title = format!("Notices of {account} on {}", app.domain.ledger);
    let now = rfc822(app.clock.machine_time_of(head.header.time_ms));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"><channel>\n<title>{}</title>\n<link>/v1/accounts/{account}/notices</link>\n\
         <description>What is scheduled that concerns the account, and slashes of operators with its stake, as of height {}</description>\n<lastBuildDate>{now}</lastBuildDate>\n",
        escaped(&title),
        head.header.height,
    );
    slashes(app, head, account)?.iter().for_each(|item| item.write(&mut text));
    notices.iter().for_each(|dated| scheduled(account, dated).write(&mut text));
    text.push_str("</channel></rss>\n");
    Ok(text)
}

/// Slashes of operators with which the account has stake.
fn slashes(app: &App, head: &Head, account: Address) -> Result<Vec<Item>, Problem> {
    let interest = Interest::of(&head.state, account);
    let with_stake = |operator: protocol::units::OperatorId| interest.has_operator(operator.number());
    let slashes = app.newest_slashes(head.header.height, SLASHES_MAX, with_stake)?;
    let item = |case: &crate::api::slashes::SlashCase| {
        let (title, ended) = case.told();
        let (reason, slash) = case.reason();
        let number = slash.map_or_else(String::new, |slash| slash.to_string());
        Item {
            description: format!("{title}: {reason} See /v1/slashes/{number} for what each pool lost."),
            title,
            guid: format!("slash-{number}@{}", app.domain.ledger),
            wall_ms: ended.map(|ms| app.clock.machine_time_of(ms)),
        }
    };
    Ok(slashes.iter().map(item).collect())
}

fn scheduled(account: Address, dated: &DatedNotice) -> Item {
    let starts =
        dated.starts.map(|when| format!(" Counts from {} (epoch {}).", utc(when.wall_ms), when.epoch));
    let act = dated.act_before.map(|when| format!(" Act before {}.", utc(when.wall_ms)));
    let ways: Vec<&str> = dated.notice.ways.iter().map(|way| way.operation.as_str()).collect();
    let ways = if ways.is_empty() { String::new() } else { format!(" What helps: {}.", ways.join(", ")) };
    Item {
        title: dated.notice.text.clone(),
        description: format!(
            "{}{}{}{ways}",
            dated.notice.text,
            starts.unwrap_or_default(),
            act.unwrap_or_default()
        ),
        guid: guid(account, &dated.notice),
        wall_ms: None,
    }
}

/// The same notice has the same id at every height, until something about it changes.
fn guid(account: Address, notice: &protocol::query::Notice) -> String {
    let content = serde_json::to_vec(notice).expect("a notice is plain data");
    let digest = Sha256::new_with_prefix(account.0).chain_update(content).finalize();
    hex::encode(digest.get(..16).unwrap_or_default())
}
