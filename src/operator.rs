//! Asks the person at the terminal what to do after a failure. Every answer can be given beforehand, so that nothing needs
//! a terminal; without one nobody is asked.

use std::collections::VecDeque;
use std::io::Write;
use std::str::FromStr;

use tokio::sync::watch;

use crate::process::Stop;
use crate::text::Line;

/// Every terminal has so many columns, and sentences are broken at words.
const COLUMNS: usize = 80;

/// What a person may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Another attempt, where that is safe.
    Retry,
    /// Read the log of what failed.
    Log,
    /// Leave the run as it is and run this contingency.
    Contingency(String),
    Abort,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "retry" => Ok(Self::Retry),
            None if text == "log" => Ok(Self::Log),
            None if text == "abort" => Ok(Self::Abort),
            Some(("contingency", id)) if !id.is_empty() => Ok(Self::Contingency(id.to_owned())),
            _ => Err("one of `retry`, `log`, `contingency:ID` and `abort` is meant".to_owned()),
        }
    }
}

impl Choice {
    fn word(&self) -> &str {
        match self {
            Self::Retry => "retry",
            Self::Log => "log",
            Self::Contingency(id) => id,
            Self::Abort => "abort",
        }
    }
}

/// What the choices are about.
#[derive(Debug, Clone)]
pub struct Question {
    /// What stopped, in a few words.
    pub what: String,
    pub retry: bool,
    pub log: bool,
    /// The contingencies that could be run, by their ids, each with its title.
    pub contingencies: Vec<(String, String)>,
}

/// Asks until an answer makes sense; a stop, or the end of the input, is *abort*.
pub async fn ask(question: &Question, stop: watch::Receiver<Stop>) -> Choice {
    loop {
        prompt(question);
        let Some(line) = line(stop.clone()).await else { return Choice::Abort };
        match understand(question, &line) {
            Some(Typed::Contingency) => {
                if let Some(chosen) = which(question, stop.clone()).await {
                    return chosen;
                }
            }
            Some(Typed::Choice(choice)) => return choice,
            None => {}
        }
    }
}

/// The next of the answers that were given beforehand which fits; *abort* where none is left.
pub fn given(question: &Question, answers: &mut VecDeque<Choice>) -> Choice {
    loop {
        let answer = answers.pop_front().unwrap_or(Choice::Abort);
        match answer {
            Choice::Retry if !question.retry => {
                show(&format!("{}: not tried again, since its effect may have happened", question.what));
                return Choice::Abort;
            }
            Choice::Log if !question.log => {}
            _ => {
                show(&format!("{}: {} (by `--on-failure`)", question.what, answer.word()));
                return answer;
            }
        }
    }
}

/// Asks which contingency; anything but a number of the list goes back.
async fn which(question: &Question, stop: watch::Receiver<Stop>) -> Option<Choice> {
    let mut err = anstream::stderr();
    for (index, (id, title)) in question.contingencies.iter().enumerate() {
        let _ = writeln!(err, "  {}  {id}: {title}", index + 1);
    }
    let _ = write!(err, "run which one now (a number, or Enter to go back)? ");
    let _ = err.flush();
    let Some(line) = line(stop).await else { return Some(Choice::Abort) };
    let index = line.trim().parse::<usize>().ok()?.checked_sub(1)?;
    question.contingencies.get(index).map(|(id, _)| Choice::Contingency(id.clone()))
}

/// Asks for a line, which may be empty; none after a stop or at the end of the input.
pub async fn ask_line(question: &str, stop: watch::Receiver<Stop>) -> Option<String> {
    let mut err = anstream::stderr();
    let _ = write!(err, "{question}");
    let _ = err.flush();
    line(stop).await
}

/// One line of the terminal; none after a stop or at the end of the input.
async fn line(mut stop: watch::Receiver<Stop>) -> Option<String> {
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).ok().filter(|read| *read > 0).map(|_| line)
    });
    tokio::select! {
        line = line => line.ok().flatten(),
        _ = stop.wait_for(|stop| *stop != Stop::No) => None,
    }
}

/// Shows a text between two questions.
pub fn show(text: &str) {
    let line = Line::new(0).plain(text).wrapped(2);
    let _ = writeln!(anstream::stderr(), "{}", line.render(COLUMNS, false));
}

/// Shows a screen of lines.
pub fn screen(lines: &[Line]) {
    let mut err = anstream::stderr();
    for line in lines {
        let _ = writeln!(err, "{}", line.render(COLUMNS, false));
    }
}

/// What was typed: a choice, or that a contingency is to be chosen.
#[derive(Debug, PartialEq, Eq)]
enum Typed {
    Choice(Choice),
    Contingency,
}

fn understand(question: &Question, line: &str) -> Option<Typed> {
    match line.trim().to_lowercase().as_str() {
        "r" | "retry" if question.retry => Some(Typed::Choice(Choice::Retry)),
        "l" | "log" if question.log => Some(Typed::Choice(Choice::Log)),
        "c" | "contingency" if !question.contingencies.is_empty() => Some(Typed::Contingency),
        "a" | "abort" | "q" => Some(Typed::Choice(Choice::Abort)),
        _ => None,
    }
}

fn prompt(question: &Question) {
    let retry = if question.retry { "[r]etry  " } else { "" };
    let log = if question.log { "[l]og  " } else { "" };
    let contingency = if question.contingencies.is_empty() { "" } else { "[c]ontingency  " };
    let mut err = anstream::stderr();
    let _ = write!(err, "\n{}: {retry}{log}{contingency}[a]bort? ", question.what);
    let _ = err.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(retry: bool, log: bool) -> Question {
        Question { what: "step 1.a failed".into(), retry, log, contingencies: vec![] }
    }

    #[test]
    fn only_what_is_offered_is_understood() {
        let check = |retry: bool, line: &str, expected: Option<Choice>| {
            assert_eq!(understand(&question(retry, true), line), expected.map(Typed::Choice), "{line:?}");
        };
        check(true, "r\n", Some(Choice::Retry));
        check(false, "r\n", None);
        check(true, " Log \n", Some(Choice::Log));
        check(true, "\n", None);
        check(true, "yes\n", None);
        check(true, "abort\n", Some(Choice::Abort));
    }

    #[test]
    fn answers_given_beforehand_are_used_in_turn() {
        let check = |question: Question, answers: &[Choice], expected: &[Choice]| {
            let mut answers = answers.iter().cloned().collect();
            let used: Vec<_> = expected.iter().map(|_| given(&question, &mut answers)).collect();
            assert_eq!(used, expected);
        };
        let shock = || Choice::Contingency("shock".into());
        check(question(true, true), &[Choice::Log, Choice::Retry], &[Choice::Log, Choice::Retry, Choice::Abort]);
        check(question(true, false), &[Choice::Log, shock()], &[shock(), Choice::Abort]);
        check(question(false, true), &[Choice::Retry, shock()], &[Choice::Abort]);
        check(question(true, true), &[], &[Choice::Abort, Choice::Abort]);
    }

    #[test]
    fn answers_by_flag() {
        let check = |text: &str, expected: Option<Choice>| assert_eq!(text.parse().ok(), expected, "{text}");
        check("retry", Some(Choice::Retry));
        check("log", Some(Choice::Log));
        check("abort", Some(Choice::Abort));
        check("contingency:thermal-runaway", Some(Choice::Contingency("thermal-runaway".into())));
        check("contingency:", None);
        check("contingency", None);
        check("retry:2", None);
        check("", None);
    }
}
