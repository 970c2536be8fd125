//! Text of strangers in every place that shows it: harmless there, and exact in the raw log.

use std::fs;

use super::builder::Test;
use super::pseudo_terminal::shown;
use super::stub::{step, stub};

/// What it is, and the bytes. Each comes as a line of output, as a value of a file and as a file's name.
const PAYLOADS: [(&str, &str); 24] = [
    ("clears the screen", "\u{1b}[2J\u{1b}[H"),
    ("changes the title", "\u{1b}]0;owned\u{7}"),
    ("hides a link", "\u{1b}]8;;https://evil.invalid\u{1b}\\here\u{1b}]8;;\u{1b}\\"),
    ("writes the clipboard", "\u{1b}]52;c;b3duZWQ=\u{7}"),
    ("one-byte control sequence", "\u{9b}2J\u{9b}31m"),
    ("device control", "\u{1b}P+q544e\u{1b}\\"),
    ("writes over what stood there", "PASSED\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}FAILED"),
    ("turns the writing", "\u{202e}DESSAP\u{61c}"),
    ("isolates", "\u{2066}x\u{2069}\u{200f}"),
    ("is invisible", "a\u{200b}b\u{feff}c\u{ad}d"),
    ("ends a line elsewhere", "a\u{2028}b\u{2029}c\u{85}d"),
    ("is a tag", "x\u{e0041}\u{e0042}"),
    ("workflow command", "::error file=a,line=1::owned"),
    ("workflow command after a space", "  ::stop-commands::x"),
    ("old workflow command", "##[error]owned"),
    ("sets an environment", "::set-env name=PATH::/evil"),
    ("markdown link", "[click](javascript:owned)"),
    ("markdown image", "![x](https://evil.invalid/x.png)"),
    ("markdown heading and table", "# owned | a | b |"),
    ("ends a code block", "``` ````` ~~~"),
    ("html", "<img src=x onerror=owned()><script>owned()</script>"),
    ("entity", "&lt;script&gt; &#60;"),
    ("ends character data", "]]> <!-- --> <failure>"),
    ("no character of XML", "a\u{b}b\u{c}c\u{fffe}d\u{1}e\u{0}f"),
];

/// A step that says it, with a file that holds it, named like it.
fn site(payload: &str) -> Test {
    let evidence =
        "  [[phase.step.evidence]]\n  file = \"made.json\"\n  json = [{ at = \"$.value\", eq = \"good\" }]\n";
    let test = stub(&step("say", "cat said; cp given.json made.json", evidence));
    test.write("said", format!("first\n{payload}\nlast {payload}"));
    test.write("given.json", serde_json::json!({ "value": payload }).to_string());
    test.write("gate.json", serde_json::json!({ "open": payload }).to_string());
    test
}

/// Nothing in it moves, hides, turns or rings.
#[track_caller]
fn plain(what: &str, text: &str) {
    let bad = text.chars().find(|&c| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            || matches!(c, '\u{e0000}'..='\u{e007f}')
    });
    assert!(bad.is_none(), "{what} shows {bad:?}: {text:?}");
}

/// What citadel itself sends to a terminal: colours, and the moves of its own live lines.
fn without_own_sequences(text: &str) -> String {
    let own = regex::Regex::new(r"\x1b\[[0-9;]*[mKJ]|\x1b\[[0-9]*[ABCDG]|\x1b\[\?25[hl]|\x1b\[\?2026[hl]|\r").unwrap();
    own.replace_all(text, "").into_owned()
}

#[track_caller]
fn gives_no_command(what: &str, text: &str) {
    let own = ["::group::Gate 1  ", "::endgroup::", "::notice::", "::error file=runbook.toml,line="];
    for line in text.lines() {
        let command = line.trim_start().starts_with("::");
        assert!(!command || own.iter().any(|own| line.starts_with(own)), "{what}: {line}");
        assert!(!line.contains("##["), "{what}: {line}");
    }
}

/// Outside of code nothing is markup that citadel did not write.
#[track_caller]
fn is_only_text(what: &str, markdown: &str) {
    let (mut fence, mut prose) = (None, String::new());
    for line in markdown.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            Some(open) if ticks >= open && line.len() == ticks => fence = None,
            None => prose.extend([line, "\n"]),
            Some(_) => {}
        }
    }
    assert!(fence.is_none(), "{what}: a block never ends\n{markdown}");
    let prose: String = prose.lines().flat_map(|line| [without_code(line), "\n".to_owned()]).collect();
    for markup in ["<(img|script|failure|!--)", r"\]\(", r"!\[", "(?m)^# owned", "&(lt|#60);"] {
        let found = regex::Regex::new(markup).unwrap().find(&prose).map(|found| found.as_str().to_owned());
        assert!(found.is_none(), "{what}: {found:?} in\n{prose}");
    }
}

/// A line without what is escaped in it and without its code spans.
fn without_code(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(char) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches('`').len();
        if char == '\\' {
            rest = rest[1..].strip_prefix(|c: char| c.is_ascii_punctuation()).unwrap_or(&rest[1..]);
        } else if run > 0 {
            let after = &rest[run..];
            let fence = "`".repeat(run);
            let exact = |at: &usize| !after[..*at].ends_with('`') && !after[at + run..].starts_with('`');
            let mut ends = after.match_indices(&fence).map(|(at, _)| at);
            rest = ends.find(exact).map_or(after, |at| &after[at + run..]);
        } else {
            out.push(char);
            rest = &rest[char.len_utf8()..];
        }
    }
    out
}

#[test]
fn it_is_harmless_everywhere_and_exact_in_the_log() {
    for some in PAYLOADS.chunks(4) {
        let (names, lines): (Vec<_>, Vec<_>) = some.iter().copied().unzip();
        let (name, payload) = (names.join(", "), lines.join("\n"));
        let test = site(&payload);
        let outcome = test.citadel("run --network test --yes").code(13);
        plain(&format!("{name}, stdout"), &outcome.stdout);
        plain(&format!("{name}, stderr"), &outcome.stderr);
        gives_no_command(&format!("{name}, stderr"), &outcome.stderr);
        let log = fs::read(test.runs("stub", "test")[0].join("logs/1.say.1.log")).unwrap();
        assert_eq!(String::from_utf8_lossy(&log), format!("first\n{payload}\nlast {payload}"), "{name}");
        let report = test.read("reports/test/citadel-report.md");
        plain(&format!("{name}, report.md"), &report);
        is_only_text(&format!("{name}, report.md"), &report);
        for command in ["status", "report", "plan", "gate verify", "gate verify --format markdown"] {
            let outcome = test.citadel(&format!("{command} --network test"));
            plain(&format!("{name}, {command}"), &format!("{}{}", outcome.stdout, outcome.stderr));
            if command.ends_with("markdown") || command == "report" {
                is_only_text(&format!("{name}, {command}"), &outcome.stdout);
            }
        }
        let github = test.citadel("gate verify --network test --format github").stdout;
        plain(&format!("{name}, github"), &github);
        gives_no_command(&format!("{name}, github"), &github);
        for command in ["report --format junit", "gate verify --format junit"] {
            let xml = test.citadel(&format!("{command} --network test")).stdout;
            let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{name}: {error}\n{xml}"));
            assert!(document.descendants().all(|node| !node.is_comment() && !node.has_tag_name("script")), "{xml}");
            for text in document.descendants().filter_map(|node| node.text()) {
                plain(&format!("{name}, {command}"), text);
            }
        }
        for command in ["report --format json", "gate verify --format json"] {
            let json = test.citadel(&format!("{command} --network test")).stdout;
            serde_json::from_str::<serde_json::Value>(&json).unwrap();
            assert!(!json.contains('\u{1b}') && !json.contains('\u{0}'), "{name}, {command}");
        }
    }
}

#[test]
fn a_terminal_is_not_moved_by_it() {
    let all: String = PAYLOADS.iter().flat_map(|(_, payload)| [payload, "\n"]).collect();
    let test = site(&all);
    let (code, screen) = shown(&test, &["run", "--network", "test", "--yes"]);
    let told = String::from_utf8(screen).expect("citadel writes UTF-8");
    assert_eq!(code, 13, "{told}");
    for bad in ["\u{1b}[2J", "\u{1b}[H", "\u{1b}]", "\u{1b}P", "\u{9b}", "\u{8}"] {
        assert!(!told.contains(bad), "{bad:?}: {told:?}");
    }
    plain("the terminal", &without_own_sequences(&told));
}

#[test]
fn a_file_is_called_what_it_is_called() {
    let test = stub(&step(
        "make",
        "sh make.sh",
        "  [[phase.step.evidence]]\n  file = \"out/list.json\"\n  manifest = \"$.files\"\n",
    ));
    let name = "\u{1b}[2J::error::x\u{202e}<script>";
    let list = serde_json::json!({ "files": [{ "file": name, "sha256": "00" }] }).to_string();
    test.write("list", list);
    test.write("make.sh", "mkdir -p out; cp list out/list.json");
    let outcome = test.citadel("run --network test --yes").code(13).says("script");
    plain("stderr", &outcome.stderr);
    let report = test.read("reports/test/citadel-report.md");
    plain("the report", &report);
    is_only_text("the report", &report);
    let xml = test.citadel("report --network test --format junit").stdout;
    roxmltree::Document::parse(&xml).unwrap();
}
