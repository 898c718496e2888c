//! What a page of the reference says, as far as it can be held against the code.

/// The lines of the section below a heading, up to the next one of its rank or above.
pub(crate) fn section<'a>(text: &'a str, heading: &str) -> Option<Vec<&'a str>> {
    let rank = heading.bytes().take_while(|byte| *byte == b'#').count();
    let mut lines = text.lines().skip_while(|line| *line != heading);
    lines.next()?;
    let is_next = |line: &&str| {
        let other = line.bytes().take_while(|byte| *byte == b'#').count();
        (1..=rank).contains(&other)
    };
    Some(lines.take_while(|line| !is_next(line)).collect())
}

/// The names in the first column of the tables of a section, in backticks.
pub(crate) fn first_column<'a>(section: &[&'a str]) -> Vec<&'a str> {
    let cells = section.iter().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    cells.map(|(name, _)| name).collect()
}

/// The numbered entries of a section: ``1. `Name`: text``.
pub(crate) fn numbered<'a>(section: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let entries = section.iter().filter_map(|line| {
        let (number, rest) = line.split_once(". `")?;
        number.parse::<usize>().ok()?;
        rest.split_once("`: ")
    });
    entries.collect()
}

/// The lines of the first block of code in that language.
pub(crate) fn code<'a>(text: &'a str, language: &str) -> Option<Vec<&'a str>> {
    let fence = format!("```{language}");
    let mut lines = text.lines().skip_while(|line| *line != fence);
    lines.next()?;
    Some(lines.take_while(|line| *line != "```").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# a\n\n## Fields\n\n| Field | Type |\n|---|---|\n| `x` | number |\n| `y` | text, see `x` |\n\n### More\n\n## Refusals\n\n\
                        1. `A`: no {x}: 1. never\n   Do b.\n2. `B`: {y}\n\n```json\n{}\n```\n";

    #[test]
    fn sections_tables_lists_and_code_are_found() {
        let fields = section(PAGE, "## Fields").expect("a section");
        assert_eq!(first_column(&fields), ["x", "y"]);
        assert!(fields.contains(&"### More"));
        let refusals = section(PAGE, "## Refusals").expect("a section");
        assert_eq!(numbered(&refusals), [("A", "no {x}: 1. never"), ("B", "{y}")]);
        assert_eq!(code(PAGE, "json"), Some(vec!["{}"]));
        assert_eq!(section(PAGE, "## Effects"), None);
    }
}
