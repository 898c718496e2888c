use super::*;

fn path(steps: &str) -> Path {
    let steps = steps.split_whitespace().map(|step| match step.parse() {
        Ok(index) => Step::Index(index),
        Err(_) => Step::Key(step.to_owned()),
    });
    Path(steps.collect())
}

fn refused_at(text: &str) -> (usize, String) {
    let mistake = Json::parse(text).expect_err(text);
    (mistake.column(text.as_bytes()), mistake.to_string())
}

/// The text that starts where the locator points.
fn located(text: &'static str, steps: &str) -> (&'static str, &'static str) {
    let json = Json::parse(text).expect(text);
    (&text[json.start_of_key(&path(steps))..], &text[json.start_of_value(&path(steps))..])
}

#[test]
fn every_part_is_found_where_it_stands() {
    let text = r#" {"a" : [1, {"b": "x,]}\"{"} , [ ] ] ,"c":{ "d" :-1.5e3}, "ü\n":null}"#;
    let cases = [
        ("", r#"{"a" :"#, r#"{"a" :"#),
        ("a", r#""a" :"#, "[1,"),
        ("a 0", "1,", "1,"),
        ("a 1 b", r#""b":"#, r#""x,"#),
        ("a 2", "[ ]", "[ ]"),
        ("c d", r#""d" :"#, "-1.5e3}"),
    ];
    for (steps, key, value) in cases {
        let (found_key, found_value) = located(text, steps);
        assert!(found_key.starts_with(key), "{steps}: {found_key}");
        assert!(found_value.starts_with(value), "{steps}: {found_value}");
    }
    let escaped = Path::root().field("ü\n");
    let json = Json::parse(text).expect(text);
    assert!(text[json.start_of_value(&escaped)..].starts_with("null"));
}

#[test]
fn what_is_not_in_the_text_stands_where_its_parent_does() {
    let text = r#"{"op":"delegate","order":{"x":1}}"#;
    let cases = [
        ("order mandate", r#"{"x":1}}"#),
        ("order mandate 3 y", r#"{"x":1}}"#),
        ("order x 0", "1}}"),
        ("nothing", text),
    ];
    for (steps, parent) in cases {
        assert_eq!(located(text, steps), (parent, parent), "{steps}");
    }
    let json = Json::parse(text).expect(text);
    assert!(json.contains(&path("order x")) && !json.contains(&path("order mandate")));
}

#[test]
fn a_number_keeps_its_digits_in_the_excerpt() {
    let json = Json::parse(r#"{"a":[18446744073709551616 ]}"#).expect("json");
    assert_eq!(json.excerpt(&path("a 0")), "18446744073709551616");
    let text = format!(r#"{{"a":"{}"}}"#, "x".repeat(100));
    let json = Json::parse(&text).expect("json");
    assert_eq!(json.excerpt(&path("a")), format!("\"{}...", "x".repeat(59)));
}

#[test]
fn syntax_errors_point_at_the_token() {
    let cases = [
        (r#"{"a":tru}"#, 6),
        (r#"{"a":nulll}"#, 10),
        (r#"{"a" 1}"#, 6),
        (r#"{"a":1,}"#, 8),
        (r#"{"a":1} x"#, 9),
        (r#"{"a":1e999}"#, 6),
        (r#"{"a":01}"#, 6),
        (r#"{a:1}"#, 2),
        (r#"{'a':1}"#, 2),
        (r#"{"a":"\x"}"#, 8),
        (r#"{"a":"x}"#, 9),
        (r#"{"a":1"#, 7),
        ("{\"a\":\"\u{1}\"}", 7),
        (r#"{"a":1} // no"#, 9),
    ];
    for (text, column) in cases {
        assert_eq!(refused_at(text).0, column, "{text}: {}", refused_at(text).1);
    }
}

#[test]
fn a_field_given_twice_is_refused_where_it_is_repeated() {
    let cases = [
        (r#"{"a":1,"a":2}"#, 8),
        (r#"{"a":{"b":1,"c":2,"b":3}}"#, 19),
        (r#"[{"a":1},{"a":2,"\u0061":3}]"#, 17),
    ];
    for (text, column) in cases {
        let (found, cause) = refused_at(text);
        assert_eq!(found, column, "{text}");
        assert!(cause.contains("is given twice"), "{cause}");
    }
    assert!(Json::parse(r#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
}

#[test]
fn nesting_and_length_are_bounded() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert!(refused_at(&deep).1.contains("recursion limit"));
    let long = format!(r#"{{"note":"{}"}}"#, "x".repeat(STRING_BYTES_MAX));
    assert_eq!(refused_at(&long).0, 9);
}

#[test]
fn paths_read_as_people_write_them() {
    assert_eq!(path("terms assets 0 weight").to_string(), "terms.assets[0].weight");
}
