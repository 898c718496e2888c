use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Book, reference};
use crate::api::rpc::METHODS;
use crate::routes::ROUTES;

fn is_blessing() -> bool {
    std::env::var_os("SURETY_BLESS").is_some()
}

/// Holds a committed file against what the code makes, or writes it anew.
fn hold(path: &str, made: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if is_blessing() {
        std::fs::write(&path, made).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let first = committed.lines().zip(made.lines()).find(|(committed, made)| committed != made);
    assert!(
        committed == made,
        "{} is not what the code says, first at {first:?}; write it with SURETY_BLESS=1 cargo test -p node openapi",
        path.display()
    );
}

#[test]
fn the_committed_openapi_is_what_the_code_says() {
    let mut made = serde_json::to_string_pretty(&Book::new().write()).expect("plain data");
    made.push('\n');
    hold("openapi.json", &made);
}

#[test]
fn the_reference_of_the_api_is_what_the_code_says() {
    hold("../../docs/reference/api.md", &reference());
}

#[test]
fn routes_and_their_names_are_unique() {
    let places: BTreeSet<_> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
    let names: BTreeSet<_> = ROUTES.iter().map(|route| route.name).collect();
    assert_eq!((places.len(), names.len()), (ROUTES.len(), ROUTES.len()));
}

#[test]
fn the_shim_answers_twelve_methods() {
    assert_eq!(METHODS.iter().collect::<BTreeSet<_>>().len(), 12);
}
