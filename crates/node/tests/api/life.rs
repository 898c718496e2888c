//! A node on a real folder: begun, stopped, begun again.

use ledger::Genesis;
use node::{Config, Node, SERVING_FILE, StartError, Stop};
use serde_json::Value;

use crate::world::{config, small_genesis};

fn genesis() -> Genesis {
    // An epoch that outlasts the test, begun a moment ago.
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_millis();
    Genesis { start_ms: u64::try_from(now).expect("a time") - 1_000, epoch_ms: 86_400_000, ..small_genesis() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_begun_once_held_by_one_process_and_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let config: Config = config(&folder);
    assert!(matches!(Node::start(config.clone()), Err(StartError::Fault(_))), "there is no ledger yet");
    Node::init(folder.path(), &genesis()).expect("a new ledger");
    assert!(
        matches!(Node::init(folder.path(), &genesis()), Err(StartError::Fault(_))),
        "there is one already"
    );
    let node = Node::start(config.clone()).expect("a node");
    assert!(matches!(Node::start(config.clone()), Err(StartError::Locked(_))));
    let digest = node.reader().head().digest;
    assert_eq!(node.stop(), Stop::Asked);
    drop(node);
    let again = Node::start(config).expect("the same ledger");
    assert_eq!(again.reader().head().digest, digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_for_a_running_node_finds_its_address_in_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    Node::init(folder.path(), &genesis()).expect("a new ledger");
    let node =
        Node::start(Config { listen: Some(([127, 0, 0, 1], 0).into()), ..config(&folder) }).expect("a node");
    let listener = node.bind().expect("a port").expect("it is to listen");
    let address = listener.local_addr().expect("an address");
    let serving = node.serve(listener);
    let looking = async {
        let path = folder.path().join(SERVING_FILE);
        while !path.exists() {
            tokio::task::yield_now().await;
        }
        let note: Value = serde_json::from_slice(&std::fs::read(&path).expect("a note")).expect("JSON");
        assert_eq!(note["url"], format!("http://{address}"));
        tokio::task::block_in_place(|| node.stop());
    };
    let (served, ()) = tokio::join!(serving, looking);
    served.expect("a clean end");
    assert!(!folder.path().join(SERVING_FILE).exists(), "the note is gone with the node");
}

#[tokio::test]
async fn numbers_out_of_their_range_are_named_with_the_range() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(&folder);
    config.mempool.exit_percent = 0;
    let Err(error) = Node::start(config) else { panic!("it must not start") };
    assert_eq!(
        error.to_string(),
        "the configuration can't be used: mempool.exit_percent is 0, and must be from 1 to 90"
    );
}

#[test]
fn a_configuration_with_an_unknown_field_is_none() {
    let read = |text: &str| serde_json::from_str::<Config>(text).map_err(|error| error.to_string());
    assert!(read("{}").is_ok_and(|config| config == Config::default()));
    assert!(read(r#"{"http": {"body_bytes_max": 2048}}"#).is_ok());
    assert!(read(r#"{"http": {"bodies": 1}}"#).is_err_and(|error| error.contains("bodies")));
    assert!(read(r#"{"rolle": "read"}"#).is_err());
}
