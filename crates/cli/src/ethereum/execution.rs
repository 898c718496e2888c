//! `surety ethereum prove-account` and `prove-receipt`: what an execution client says of a block that is final, made into proofs.

use clap::Args;
use ethereum::{
    ExecutionClient, ExecutionFault, ListedReceipts, account_answer, header_of, prove_account, prove_receipt,
};
use evidence::ethereum::{Execution, Finalized, Opening, Question};
use serde_json::{Value, json};

use super::{Followed, address, fault, hex, patience, unhex};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column, Section, Shape};

/// Where the answers come from.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The client of the execution layer that is asked.
    #[arg(long, value_name = "URL", required_unless_present = "answer")]
    execution: Option<String>,
    /// The file into which surety ethereum follow --out has written how the block is opened. Otherwise the client is asked.
    #[arg(long, value_name = "FILE", conflicts_with = "block")]
    opened: Option<String>,
    /// Without a network: a file with the answer of eth_getBlockByHash for the execution block that the final block names.
    #[arg(long, value_name = "FILE")]
    block: Option<String>,
    /// Without a network: a file with the answer to what is to be proven, of eth_getProof or eth_getBlockReceipts.
    #[arg(long, value_name = "FILE", conflicts_with = "execution")]
    answer: Option<String>,
}

/// An account, and slots of it.
#[derive(Debug, Args)]
pub(crate) struct Account {
    /// The account.
    #[arg(value_parser = unhex::<20>)]
    address: [u8; 20],
    /// Slots of its storage: a number, or 0x and 64 hex digits; several with commas between them.
    #[arg(long, value_name = "SLOTS", value_delimiter = ',', value_parser = slot)]
    slot: Vec<[u8; 32]>,
    #[command(flatten)]
    followed: Followed,
    #[command(flatten)]
    source: Source,
}

/// A receipt.
#[derive(Debug, Args)]
pub(crate) struct Receipt {
    /// Place of the transaction in its block, from 0.
    index: u64,
    #[command(flatten)]
    followed: Followed,
    #[command(flatten)]
    source: Source,
}

const ACCOUNT: [Column; 8] = [
    Column::plain("slot of the final block", "/slot"),
    Column::plain("execution block", "/block/number"),
    Column::plain("account", "/address"),
    Column::plain("exists", "/exists"),
    Column::plain("nonce", "/account/nonce"),
    Column::plain("balance (wei)", "/account/balance"),
    Column::plain("storage root", "/account/storage_root"),
    Column::plain("trie nodes in the proof", "/size"),
];

const VALUES: [Section; 1] = [Section {
    title: "Storage",
    at: "/values",
    columns: &[Column::plain("slot", "/slot"), Column::plain("value", "/value")],
    empty: "",
}];

const RECEIPT: [Column; 6] = [
    Column::plain("slot of the final block", "/slot"),
    Column::plain("execution block", "/block/number"),
    Column::plain("transaction", "/receipt/index"),
    Column::plain("has succeeded", "/said/has_succeeded"),
    Column::plain("logs", "/said/logs"),
    Column::plain("trie nodes in the proof", "/size"),
];

/// The name of a slot.
fn slot(text: &str) -> Result<[u8; 32], String> {
    match text.parse::<u64>() {
        Ok(number) => Ok(evidence::ethereum::slot(number)),
        Err(_) => unhex(text),
    }
}

fn unproven(fault: &ExecutionFault) -> Failure {
    Failure::new(Exit::Refused, "ethereum.proof", "the answer does not prove what was asked")
        .why(fault.to_string())
        .help("ask another client; one that keeps states of old blocks, if the block is older than a day")
}

impl Source {
    fn client(&self, context: &Context) -> Result<Option<ExecutionClient>, Failure> {
        let client = self.execution.as_ref().map(|url| ExecutionClient::new(url, patience(context)));
        client.transpose().map_err(|error| address(&error))
    }

    /// Opens the execution block of a header: by asking, or from the file.
    fn open(
        &self,
        client: Option<&ExecutionClient>,
        header: &Finalized,
    ) -> Result<(Opening, Execution), Failure> {
        let opening = match (client, &self.block) {
            _ if self.opened.is_some() => self.opening(header.header().slot)?,
            (Some(client), None) => client.opening(header).map_err(|error| asked(client, &error))?,
            (_, Some(file)) => {
                let text = crate::input::read_text(file)?;
                let reply: Value =
                    serde_json::from_str(&text).map_err(|error| form(file, &error.to_string()))?;
                let block = reply.get("result").unwrap_or(&reply);
                Opening::Header(header_of(block, header.block_hash()).map_err(|error| unproven(&error))?)
            }
            (None, None) => {
                return Err(Failure::usage(
                    "ethereum.block",
                    "it is not said what shows the execution block",
                )
                .help("name a file with --opened or --block, or a client with --execution"));
            }
        };
        let opened = header.open(&opening).map_err(|error| unproven(&ExecutionFault::Opening(error)))?;
        Ok((opening, opened))
    }

    /// What a follower has written of how the block of a slot is opened.
    fn opening(&self, slot: u64) -> Result<Opening, Failure> {
        let file = self.opened.clone().unwrap_or_default();
        let text = crate::input::read_text(&file)?;
        let news = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut openings = news.filter(|news| news["op"] == "open_block" && news["slot"] == slot);
        let opening = openings.next().and_then(|news| serde_json::from_value(news["opening"].clone()).ok());
        opening.ok_or_else(|| {
            let what = format!("{file} does not show the execution block of slot {slot}");
            Failure::new(Exit::NotFound, "ethereum.block", what).help("name a client with --execution")
        })
    }

    fn answer(&self) -> Result<(String, String), Failure> {
        let file = self.answer.clone().unwrap_or_default();
        Ok((crate::input::read_text(&file)?, file))
    }
}

fn asked(client: &ExecutionClient, error: &ExecutionFault) -> Failure {
    match error {
        ExecutionFault::Fault(told) => fault(client.name(), told),
        error => unproven(error),
    }
}

fn form(file: &str, why: &str) -> Failure {
    Failure::usage("ethereum.answer", format!("{file} is no answer of an execution client")).why(why)
}

fn block(execution: &Execution) -> Value {
    json!({
        "number": execution.number(), "hash": hex(execution.hash()), "state_root": hex(execution.state_root()),
        "receipts_root": hex(execution.receipts_root()),
    })
}

impl Account {
    /// Runs it.
    ///
    /// # Errors
    /// If nothing is followed; what the client says; that the answer proves nothing.
    pub(super) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let header = self.followed.header()?;
        let client = self.source.client(context)?;
        let (opening, execution) = self.source.open(client.as_ref(), &header)?;
        let question = Question { address: self.address, slots: self.slot.clone() };
        let proven = match &client {
            Some(client) => client.account(&execution, &question).map_err(|error| asked(client, &error)),
            None => {
                let (text, file) = self.source.answer()?;
                let answered = account_answer(&text).map_err(|error| form(&file, &error.to_string()))?;
                prove_account(&execution, &question, &answered).map_err(|error| unproven(&error))
            }
        };
        let (nodes, answer) = proven?;
        let values = self.slot.iter().zip(&answer.values);
        let values: Value =
            values.map(|(slot, word)| json!({ "slot": hex(slot), "value": hex(word.get()) })).collect();
        let document = json!({
            "slot": header.header().slot, "block": block(&execution), "opening": opening,
            "address": hex(&self.address), "account": answer.account, "values": values, "nodes": nodes,
        });
        let mut view = document.clone();
        view["exists"] = json!(answer.account.is_some());
        view["size"] = json!(nodes.as_slice().len());
        Ok(Answer::viewed(document, view, Shape::Page(&ACCOUNT, &VALUES)))
    }
}

impl Receipt {
    /// Runs it.
    ///
    /// # Errors
    /// As [`Account::run`]; that the block has no such transaction.
    pub(super) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let header = self.followed.header()?;
        let client = self.source.client(context)?;
        let (opening, execution) = self.source.open(client.as_ref(), &header)?;
        let listed: ListedReceipts = match &client {
            Some(client) => client.receipts(&execution).map_err(|error| fault(client.name(), &error))?,
            None => {
                let (text, file) = self.source.answer()?;
                let reply: Value =
                    serde_json::from_str(&text).map_err(|error| form(&file, &error.to_string()))?;
                let result = reply.get("result").unwrap_or(&reply).clone();
                serde_json::from_value(result).map_err(|error| form(&file, &error.to_string()))?
            }
        };
        let (proof, receipt) = prove_receipt(&execution, &listed, self.index).map_err(|error| {
            let exit = match error {
                ethereum::ReceiptsFault::Index { .. } => Exit::NotFound,
                _ => Exit::Refused,
            };
            Failure::new(exit, "ethereum.receipt", format!("receipt {} is not proven", self.index))
                .why(error.to_string())
        })?;
        let document = json!({
            "slot": header.header().slot, "block": block(&execution), "opening": opening, "receipt": proof,
        });
        let mut view = document.clone();
        let logs = receipt.logs().len();
        view["said"] = json!({ "has_succeeded": receipt.has_succeeded(), "logs": logs });
        view["size"] = json!(proof.nodes.as_slice().len());
        Ok(Answer::viewed(document, view, Shape::Page(&RECEIPT, &[])))
    }
}
