//! Asks the person at the terminal what to do after a failure. Every answer is also a command, so that nothing needs a
//! terminal; without one nobody is asked.

use std::io::Write;

use tokio::sync::watch;

use crate::process::Stop;
use crate::text::Line;

/// Every terminal has so many columns, and sentences are broken at words.
const COLUMNS: usize = 80;

/// What a person may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Another attempt, where that is safe.
    Retry,
    /// Read the log of what failed.
    Log,
    /// Leave the run as it is and run the contingency with this place in the list.
    Contingency(usize),
    Abort,
}

/// What the choices are about.
#[derive(Debug, Clone)]
pub struct Question {
    /// What stopped, in a few words.
    pub what: String,
    pub retry: bool,
    pub log: bool,
    /// The contingencies that could be run, each in a line.
    pub contingencies: Vec<String>,
}

/// Asks until an answer makes sense; a stop, or the end of the input, is *abort*.
pub async fn ask(question: &Question, stop: watch::Receiver<Stop>) -> Choice {
    loop {
        prompt(question);
        let Some(line) = line(stop.clone()).await else { return Choice::Abort };
        match understand(question, &line) {
            Some(Choice::Contingency(_)) => {
                if let Some(chosen) = which(question, stop.clone()).await {
                    return chosen;
                }
            }
            Some(choice) => return choice,
            None => {}
        }
    }
}

/// Asks which contingency; anything but a number of the list goes back.
async fn which(question: &Question, stop: watch::Receiver<Stop>) -> Option<Choice> {
    let mut err = anstream::stderr();
    for (index, contingency) in question.contingencies.iter().enumerate() {
        let _ = writeln!(err, "  {}  {contingency}", index + 1);
    }
    let _ = write!(err, "run which one now (a number, or Enter to go back)? ");
    let _ = err.flush();
    let Some(line) = line(stop).await else { return Some(Choice::Abort) };
    let index = line.trim().parse::<usize>().ok()?.checked_sub(1)?;
    (index < question.contingencies.len()).then_some(Choice::Contingency(index))
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

fn understand(question: &Question, line: &str) -> Option<Choice> {
    match line.trim().to_lowercase().as_str() {
        "r" | "retry" if question.retry => Some(Choice::Retry),
        "l" | "log" if question.log => Some(Choice::Log),
        "c" | "contingency" if !question.contingencies.is_empty() => Some(Choice::Contingency(0)),
        "a" | "abort" | "q" => Some(Choice::Abort),
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

    #[test]
    fn only_what_is_offered_is_understood() {
        let check = |retry: bool, line: &str, expected: Option<Choice>| {
            let question = Question { what: "step 1.a failed".into(), retry, log: true, contingencies: vec![] };
            assert_eq!(understand(&question, line), expected, "{line:?}");
        };
        check(true, "r\n", Some(Choice::Retry));
        check(false, "r\n", None);
        check(true, " Log \n", Some(Choice::Log));
        check(true, "\n", None);
        check(true, "yes\n", None);
        check(true, "abort\n", Some(Choice::Abort));
    }
}
