//! The commands of the book, run: every page of the tutorial and of the how-tos is a script, in a folder of its own with a demo that lives.
//!
//! A block that begins with three backticks and `sh run` is run, in the order of the page and in one shell; `sh run exit=2` must end so. A block `text out` behind it is what comes out:
//! every line of it must stand in the output, in their order, blanks and digits apart; `...` stands for anything.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::demo;

/// A block of commands, and what the page says about them.
#[derive(Debug, Default)]
struct Block {
    line: usize,
    commands: String,
    exit: i32,
    output: Vec<String>,
}

/// The blocks of a page that are run.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```").map(str::trim).filter(|info| !info.is_empty()) else {
            continue;
        };
        let words: Vec<&str> = info.split(' ').collect();
        let inside: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| !line.starts_with("```")).collect();
        match (words.as_slice(), blocks.last_mut()) {
            (["sh", "run", rest @ ..], _) => {
                let exit = rest.iter().find_map(|word| word.strip_prefix("exit=")?.parse().ok());
                let commands = inside.join("\n");
                blocks.push(Block {
                    line: number + 1,
                    commands,
                    exit: exit.unwrap_or(0),
                    output: Vec::new(),
                });
            }
            (["text", "out"], Some(block)) => block.output.extend(inside.into_iter().map(str::to_owned)),
            _ => {}
        }
    }
    blocks
}

/// The page as one script: each block ends with a line of its own that says how it went.
fn script(blocks: &[Block]) -> String {
    let mut script = String::from("set -e\n");
    for (number, block) in blocks.iter().enumerate() {
        if block.exit == 0 {
            writeln!(script, "{}", block.commands).expect("a string takes any text");
        } else {
            writeln!(script, "set +e\n{}\nended=$?", block.commands).expect("a string takes any text");
            writeln!(script, "set -e\ntest $ended -eq {} || exit 99", block.exit)
                .expect("a string takes any text");
        }
        writeln!(script, "echo '<<< block {number} >>>'").expect("a string takes any text");
    }
    script
}

/// A line without blanks and digits: amounts, heights and widths of columns are another each time.
fn skeleton(line: &str) -> String {
    line.chars().filter(|c| !c.is_whitespace() && !c.is_ascii_digit()).collect()
}

/// The first line of `expected` that is not in the output, behind those before it.
fn missing<'a>(expected: &'a [String], output: &str) -> Option<&'a str> {
    let mut lines = output.lines().map(skeleton);
    let said = expected.iter().filter(|line| !line.trim().is_empty() && line.trim() != "...");
    for line in said {
        let parts: Vec<String> = line.split("...").map(skeleton).collect();
        let is_it = |found: &String| {
            let mut rest = found.as_str();
            parts.iter().all(|part| match rest.split_once(part.as_str()) {
                Some((_, behind)) => {
                    rest = behind;
                    true
                }
                None => false,
            })
        };
        if !lines.any(|found| is_it(&found)) {
            return Some(line);
        }
    }
    None
}

/// A demo that lives beside a page, until it is dropped.
struct Living(Child);

impl Living {
    fn start(folder: &Path) -> Self {
        let mut command = demo::command(folder, &["--data", "surety-demo", "demo", "--port", "0"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let (started, mut living) = (Instant::now(), Self(child));
        while !folder.join("surety-demo/node.json").exists() {
            let ended = living.0.try_wait().expect("a child can be asked");
            assert!(ended.is_none() && started.elapsed() < Duration::from_secs(60), "no demo: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        living
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs a page from its first block to its last.
fn run(page: &Path) {
    let text = fs::read_to_string(page).expect("a page");
    let blocks = blocks(&text);
    let name = page.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(!blocks.is_empty(), "{name} has no command that is run");
    let folder = demo::folder();
    let living = text.contains("surety-demo").then(|| Living::start(folder.path()));
    // Where the README has it.
    fs::create_dir_all(folder.path().join("target/release")).expect("a folder");
    let program = folder.path().join("target/release/surety");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_surety"), program).expect("a link");
    let mut shell = Command::new("sh");
    demo::without_settings(&mut shell, folder.path());
    let output =
        shell.arg("-c").arg(script(&blocks)).stdin(Stdio::null()).output().expect("there is a shell");
    drop(living);
    let (said, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut rest: &str = &said;
    for (number, block) in blocks.iter().enumerate() {
        let Some((own, behind)) = rest.split_once(&format!("<<< block {number} >>>\n")) else {
            panic!("{name}:{}: {}\n{rest}\n{complaint}", block.line, block.commands);
        };
        // What a command complains about is part of what comes out.
        let all = if block.exit == 0 { own.to_owned() } else { format!("{own}{complaint}") };
        if let Some(line) = missing(&block.output, &all) {
            panic!("{name}:{}: {line:?} does not come out of {}\n{all}", block.line, block.commands);
        }
        rest = behind;
    }
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

#[test]
fn the_tutorial_does_what_it_says() {
    run(&docs().join("tutorial.md"));
}

#[test]
fn every_how_to_does_what_it_says() {
    let mut pages: Vec<PathBuf> = fs::read_dir(docs().join("how-to"))
        .expect("how-tos")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    pages.sort();
    assert!(pages.len() >= 8, "{pages:?}");
    // Each has a node of its own; they wait more than they work.
    std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| scope.spawn(move || run(page))).collect();
        let failed = running.into_iter().filter_map(|page| page.join().err()).count();
        assert_eq!(failed, 0, "how-tos that do not do what they say; each is told above");
    });
}

#[test]
fn pages_are_compared_loosely_and_not_blindly() {
    let expected = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let output = " entry  worth\n     5  240 eth\n as of height 56\n";
    assert_eq!(missing(&expected("entry worth\n7 1 eth"), output), None);
    assert_eq!(missing(&expected("entry ... worth\n...\nas of height 9"), output), None);
    assert_eq!(missing(&expected("as of height 1\nentry worth"), output), Some("entry worth"));
    assert_eq!(missing(&expected("5 240 btc"), output), Some("5 240 btc"));
    let page = "```sh run exit=2\nfalse\n```\n\n```text out\na\n```\n\n```sh\nnot run\n```\n";
    let found = blocks(page);
    assert_eq!((found.len(), found[0].exit, found[0].output.as_slice()), (1, 2, &["a".to_owned()][..]));
}
