use std::fs;

use super::*;

fn none(_: &str) -> Option<String> {
    None
}

fn flags(pairs: &[(Key, &str)]) -> Flags {
    pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
}

#[test]
fn each_layer_stands_over_the_one_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("c.toml");
    fs::write(&path, "node = \"http://file:1\"\nfrom = \"of-file\"\nkeystore = \"keys\"\n").expect("written");
    let variables = |name: &str| match name {
        "SURETY_NODE" => Some("http://variable:2".to_owned()),
        "SURETY_TIMEOUT" => Some("5s".to_owned()),
        _ => None,
    };
    let flags = flags(&[(Key::Timeout, "7s")]);
    let settings = Settings::load(Some(&path), &flags, &variables).expect("settings");
    let found: Vec<(&str, String, String)> = SETTINGS
        .iter()
        .filter_map(|setting| {
            let value = settings.get(setting.key)?;
            Some((setting.name, value.text.clone(), value.origin.to_string()))
        })
        .collect();
    let of_file = |line| format!("{}:{line}", path.display());
    let expected = [
        ("node", "http://variable:2".to_owned(), "SURETY_NODE".to_owned()),
        ("keystore", folder.path().join("keys").display().to_string(), of_file(3)),
        ("from", "of-file".to_owned(), of_file(2)),
        ("output", "table".to_owned(), "default".to_owned()),
        ("timeout", "7s".to_owned(), "--timeout".to_owned()),
    ];
    assert_eq!(found, expected);
    assert_eq!(settings.timeout_ms(), 7_000);
}

#[test]
fn the_ledger_that_was_named_further_up_is_meant() {
    let node = |text: &str| Target::Node(text.to_owned());
    let data = |text: &str| Target::Data(PathBuf::from(text));
    type Case<'a> = (&'a [(Key, &'a str)], Option<&'a str>, Option<Target>);
    let cases: [Case<'_>; 5] = [
        (&[], None, Some(node("http://127.0.0.1:8710"))),
        (&[(Key::Data, "d")], None, Some(data("d"))),
        (&[(Key::Data, "d")], Some("http://v:1"), Some(data("d"))),
        (&[(Key::Node, "http://f:1")], Some("http://v:1"), Some(node("http://f:1"))),
        (&[(Key::Node, "http://f:1"), (Key::Data, "d")], None, None),
    ];
    for (pairs, variable, expected) in cases {
        let variables = |name: &str| variable.filter(|_| name == "SURETY_NODE").map(str::to_owned);
        let settings =
            Settings::load(Some(Path::new("/dev/null")), &flags(pairs), &variables).expect("settings");
        assert_eq!(settings.target().ok(), expected, "{pairs:?} {variable:?}");
    }
}

#[test]
fn mistakes_name_their_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("c.toml");
    let cases = [
        ("nod = \"x\"\n", "there is no setting \"nod\"", Some("did you mean \"node\"?")),
        ("output = \"tabel\"\n", "output can't be \"tabel\"", None),
        ("[names]\nbob = \"0x12\"\n", "bob", None),
    ];
    for (text, words, help) in cases {
        fs::write(&path, text).expect("written");
        let failure = Settings::load(Some(&path), &Flags::new(), &none).expect_err(text);
        assert!(failure.to_string().contains(words), "{text}: {failure}");
        if let Some(help) = help {
            assert_eq!(failure.remedy(), Some(help), "{text}");
        }
    }
    let missing = folder.path().join("none.toml");
    let failure = Settings::load(Some(&missing), &Flags::new(), &none).expect_err("missing");
    assert_eq!(failure.code(), "config.unreadable");
}
