//! Makes one answer of several endpoints' answers, or says who said what. One different answer is enough for *unknown*.

use super::question::Answer;
use super::text::count;

/// One endpoint's answer, or why it is none, under the name that messages give the endpoint.
pub(crate) type Said<'a> = (&'a str, Result<Answer, String>);

/// The answer that at least `agree` endpoints gave and none contradicted.
pub(crate) fn agreed(said: &[Said<'_>], agree: usize) -> Answer {
    let best = said.iter().filter_map(|(_, answer)| answer.as_ref().ok()).max_by_key(|answer| tells(answer));
    let Some(best) = best else { return Answer::Unknown(too_few(said, 0, agree)) };
    let same = said.iter().filter(|(_, answer)| answer.as_ref().is_ok_and(|answer| supports(answer, best))).count();
    if said.iter().any(|(_, answer)| answer.as_ref().is_ok_and(|answer| contradicts(answer, best))) {
        Answer::Unknown(dissent(said))
    } else if same < agree {
        Answer::Unknown(too_few(said, same, agree))
    } else {
        vouched(best, said, agree)
    }
}

/// The best answer, as far as enough endpoints gave it: what a call reverted with must be told by `agree` of them, too.
fn vouched(best: &Answer, said: &[Said<'_>], agree: usize) -> Answer {
    let exactly = said.iter().filter(|(_, answer)| answer.as_ref() == Ok(best)).count();
    match best {
        Answer::Reverted(Some(_)) if exactly < agree => Answer::Reverted(None),
        _ => best.clone(),
    }
}

/// How much an answer tells: a receipt more than none, revert data more than a bare revert.
fn tells(answer: &Answer) -> u8 {
    match answer {
        Answer::Receipt(None) | Answer::Reverted(None) | Answer::Unknown(_) => 0,
        Answer::Bytes(_) | Answer::Reverted(Some(_)) | Answer::Receipt(Some(_)) | Answer::BlockHash(_) => 1,
    }
}

/// Whether an answer counts for the best one; a node that tells no revert data still says that the call reverts.
fn supports(answer: &Answer, best: &Answer) -> bool {
    answer == best || matches!((answer, best), (Answer::Reverted(None), Answer::Reverted(_)))
}

/// Whether an answer speaks against the best one; a receipt that is not there yet is only missing.
fn contradicts(answer: &Answer, best: &Answer) -> bool {
    !supports(answer, best) && !matches!((answer, best), (Answer::Receipt(None), Answer::Receipt(_)))
}

fn dissent(said: &[Said<'_>]) -> String {
    let words: Vec<String> = said
        .iter()
        .filter_map(|(name, answer)| answer.as_ref().ok().map(|answer| format!("{name} says {}", shortened(answer))))
        .collect();
    format!("the endpoints disagree: {}", words.join(", "))
}

fn too_few(said: &[Said<'_>], same: usize, agree: usize) -> String {
    let reasons: Vec<String> = said
        .iter()
        .filter_map(|(name, answer)| match answer {
            Err(reason) => Some(format!("{name}: {reason}")),
            Ok(Answer::Receipt(None)) => Some(format!("{name}: does not know it")),
            Ok(_) => None,
        })
        .collect();
    format!("only {same} of the {} needed answered ({})", count(agree, "endpoint"), reasons.join("; "))
}

fn shortened(answer: &Answer) -> String {
    let text = answer.to_string();
    if text.len() > 140 { format!("{}… ({} characters)", &text[..100], text.len()) } else { text }
}

#[cfg(test)]
mod tests {
    use ethers::types::H256;

    use super::super::question::Mined;
    use super::*;

    const LATE: Answer = Answer::Unknown(String::new());

    fn bytes(value: u8) -> Answer {
        Answer::Bytes(vec![value])
    }

    /// `LATE` stands for no answer.
    fn check(said: Vec<Answer>, agree: usize, expected: &str) {
        let said = said.into_iter().map(|answer| if answer == LATE { Err("late".to_owned()) } else { Ok(answer) });
        let said: Vec<Said<'_>> = ["A", "B", "C"].into_iter().zip(said).collect();
        assert_eq!(agreed(&said, agree).to_string(), expected);
    }

    #[test]
    fn only_agreement_counts() {
        check(vec![bytes(1)], 1, "0x01");
        check(vec![bytes(1), bytes(1)], 2, "0x01");
        check(vec![bytes(1), bytes(1), LATE], 2, "0x01");
        check(vec![bytes(1), LATE], 2, "unknown: only 1 of the 2 endpoints needed answered (B: late)");
        check(vec![LATE], 1, "unknown: only 0 of the 1 endpoint needed answered (A: late)");
        check(
            vec![bytes(1), bytes(1), bytes(2)],
            2,
            "unknown: the endpoints disagree: A says 0x01, B says 0x01, C says 0x02",
        );
        check(vec![bytes(1), bytes(2)], 1, "unknown: the endpoints disagree: A says 0x01, B says 0x02");
        check(vec![], 1, "unknown: only 0 of the 1 endpoint needed answered ()");
    }

    #[test]
    fn a_revert_is_an_answer() {
        let bare = || Answer::Reverted(None);
        let with = |byte| Answer::Reverted(Some(vec![byte]));
        check(vec![with(1), with(1)], 2, "reverted 0x01");
        check(vec![bare(), with(1)], 1, "reverted 0x01");
        check(vec![bare(), with(1), with(1)], 2, "reverted 0x01");
        check(vec![bare(), with(1)], 2, "reverted");
        check(vec![bare(), bare()], 2, "reverted");
        check(vec![with(1), with(2)], 1, "unknown: the endpoints disagree: A says reverted 0x01, B says reverted 0x02");
        check(vec![bytes(1), bare()], 1, "unknown: the endpoints disagree: A says 0x01, B says reverted");
    }

    #[test]
    fn a_missing_receipt_is_no_dissent_and_no_support() {
        let mined = |block_number| {
            Answer::Receipt(Some(Box::new(Mined {
                hash: H256::zero(),
                succeeded: true,
                block_hash: H256::zero(),
                block_number,
                to: None,
                logs: vec![],
            })))
        };
        let none = || Answer::Receipt(None);
        check(vec![none(), none()], 2, "null");
        check(vec![mined(1), none()], 2, "unknown: only 1 of the 2 endpoints needed answered (B: does not know it)");
        assert!(matches!(agreed(&[("A", Ok(mined(1))), ("B", Ok(none()))], 1), Answer::Receipt(Some(_))));
        assert!(matches!(agreed(&[("A", Ok(mined(1))), ("B", Ok(mined(2)))], 1), Answer::Unknown(_)));
    }
}
