//! Makes one answer of several endpoints' answers, or says who said what. One different answer is enough for *unknown*.

use super::question::Answer;
use super::sequence::Ran;
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
    } else if let (Answer::Ran(ran), true) = (best, same < agree && same + unsupported(said) >= agree) {
        told_by_few(ran, said)
    } else if same < agree {
        Answer::Unknown(too_few(said, same, agree))
    } else {
        vouched(best, said, agree)
    }
}

/// Too few have the method for what the others say to count; but where one of them says that a call reverts, those that do
/// not have it must not make anybody overlook that.
fn told_by_few(ran: &[Ran], said: &[Said<'_>]) -> Answer {
    if ran.iter().all(|ran| ran.succeeded) {
        return Answer::Unsupported;
    }
    Answer::Unknown(format!("too few endpoints simulate it, and not all calls succeed: {}", told(said)))
}

fn unsupported(said: &[Said<'_>]) -> usize {
    said.iter().filter(|(_, answer)| *answer == Ok(Answer::Unsupported)).count()
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
        Answer::Receipt(None) | Answer::Reverted(None) | Answer::Unsupported | Answer::Unknown(_) => 0,
        Answer::Bytes(_)
        | Answer::Ran(_)
        | Answer::Reverted(Some(_))
        | Answer::Receipt(Some(_))
        | Answer::BlockHash(_)
        | Answer::Events(_) => 1,
    }
}

/// Whether an answer counts for the best one; a node that tells no revert data still says that the call reverts.
fn supports(answer: &Answer, best: &Answer) -> bool {
    answer == best || matches!((answer, best), (Answer::Reverted(None), Answer::Reverted(_)))
}

/// Whether an answer speaks against the best one; a receipt that is not there yet is only missing, and so is the answer of a
/// node that does not have the method.
fn contradicts(answer: &Answer, best: &Answer) -> bool {
    let missing =
        matches!((answer, best), (Answer::Receipt(None), Answer::Receipt(_)) | (Answer::Unsupported, Answer::Ran(_)));
    !supports(answer, best) && !missing
}

fn dissent(said: &[Said<'_>]) -> String {
    format!("the endpoints disagree: {}", told(said))
}

fn told(said: &[Said<'_>]) -> String {
    let words: Vec<String> = said
        .iter()
        .filter_map(|(name, answer)| answer.as_ref().ok().map(|answer| format!("{name} says {}", shortened(answer))))
        .collect();
    words.join(", ")
}

fn too_few(said: &[Said<'_>], same: usize, agree: usize) -> String {
    let reasons: Vec<String> = said
        .iter()
        .filter_map(|(name, answer)| match answer {
            Err(reason) => Some(format!("{name}: {reason}")),
            Ok(Answer::Receipt(None)) => Some(format!("{name}: does not know it")),
            Ok(Answer::Unsupported) => Some(format!("{name}: does not have the method")),
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
    use proptest::prelude::*;

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

    #[test]
    fn a_missing_method_is_no_dissent_and_hides_no_revert() {
        let ran = |succeeded, byte| Answer::Ran(vec![Ran { succeeded, returned: vec![byte] }]);
        let (none, good, bad) = (|| Answer::Unsupported, || ran(true, 1), || ran(false, 2));
        check(vec![good(), good()], 2, "returned 0x01");
        check(vec![good(), good(), none()], 2, "returned 0x01");
        check(vec![none(), none()], 2, "unsupported");
        let few = "unknown: only 1 of the 2 endpoints needed answered (A: does not have the method; B: late)";
        check(vec![none(), LATE], 2, few);
        check(vec![good(), none()], 2, "unsupported");
        check(
            vec![good(), none(), LATE],
            3,
            "unknown: only 1 of the 3 endpoints needed answered (B: does not have the method; C: late)",
        );
        check(
            vec![bad(), none()],
            2,
            "unknown: too few endpoints simulate it, and not all calls succeed: A says reverted 0x02, B says unsupported",
        );
        check(vec![bad(), bad(), none()], 2, "reverted 0x02");
        check(
            vec![good(), bad(), none()],
            2,
            "unknown: the endpoints disagree: A says returned 0x01, B says reverted 0x02, C says unsupported",
        );
        check(
            vec![good(), ran(true, 3)],
            1,
            "unknown: the endpoints disagree: A says returned 0x01, B says returned 0x03",
        );
        check(vec![bytes(1), none()], 1, "unknown: the endpoints disagree: A says 0x01, B says unsupported");
    }

    fn an_answer() -> impl Strategy<Value = Answer> {
        let data = prop::collection::vec(0..3u8, 0..2);
        let hash = (0..3u8).prop_map(H256::repeat_byte);
        prop_oneof![
            data.clone().prop_map(Answer::Bytes),
            prop::option::of(data).prop_map(Answer::Reverted),
            prop::collection::vec(any::<bool>(), 0..2).prop_map(|calls| {
                Answer::Ran(calls.into_iter().map(|succeeded| Ran { succeeded, returned: vec![] }).collect())
            }),
            Just(Answer::Unsupported),
            prop::option::of(hash.clone()).prop_map(Answer::BlockHash),
            prop::option::of(hash.prop_map(|block_hash| {
                let (hash, to, logs) = (H256::zero(), None, vec![]);
                Box::new(Mined { hash, succeeded: true, block_hash, block_number: 1, to, logs })
            }))
            .prop_map(Answer::Receipt),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

        /// Fewer than `agree` liars change nothing of what the honest ones say, except that it becomes unknown.
        #[test]
        fn fewer_than_agree_liars_put_no_word_in_anybodys_mouth(
            truth in an_answer(),
            honest in prop::collection::vec(any::<bool>(), 1..4),
            lies in prop::collection::vec(prop::option::of(an_answer()), 0..4),
            more in 1..3usize,
            turn in 0..8usize,
        ) {
            let agree = lies.len() + more;
            let late = |answer: Option<Answer>| ("x", answer.ok_or_else(|| "late".to_owned()));
            let honest = honest.into_iter().map(|speaks| late(speaks.then(|| truth.clone())));
            let mut said: Vec<Said<'_>> = honest.chain(lies.into_iter().map(late)).collect();
            let turn = turn % said.len();
            said.rotate_left(turn);
            let found = agreed(&said, agree);
            let less = Answer::Reverted(None);
            let succeeds = matches!(&truth, Answer::Ran(ran) if ran.iter().all(|ran| ran.succeeded));
            let softer = found == less && matches!(truth, Answer::Reverted(_))
                || found == Answer::Unsupported && succeeds;
            prop_assert!(matches!(found, Answer::Unknown(_)) || found == truth || softer, "{truth} became {found}");
        }
    }
}
