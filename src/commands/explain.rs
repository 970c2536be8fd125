//! `citadel explain`: what exit codes mean.

use crate::cli::Explain;
use crate::error::{EXIT_CODES, ExitCode, Failure};

pub(super) fn explain(args: &Explain) -> Result<ExitCode, Failure> {
    let Some(code) = args.code else {
        let line = |(code, meaning, _): &(ExitCode, &str, &str)| format!("{:>3}  {meaning}\n", code.number());
        crate::terminal::data(&EXIT_CODES.iter().map(line).collect::<String>());
        return Ok(ExitCode::Ok);
    };
    let found = EXIT_CODES.iter().find(|(known, _, _)| known.number() == code);
    let Some((_, meaning, next)) = found else {
        let codes: Vec<String> = EXIT_CODES.iter().map(|(code, _, _)| code.number().to_string()).collect();
        return Err(Failure::new(ExitCode::Usage, format!("citadel never exits with {code}"))
            .hint(format!("its codes are {}", codes.join(", "))));
    };
    crate::terminal::data(&format!("{code}: {meaning}\nnext: {next}\n"));
    Ok(ExitCode::Ok)
}
