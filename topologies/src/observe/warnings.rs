//! Which warnings of the stack need a look, and which do not.

/// What the stack warns of in every healthy call, with why it is harmless.
const HARMLESS: [(&str, &str); 4] = [
    (
        "conn.remote_addr is empty, please set explicitly server_name",
        "WebRTC checks fingerprints, not server names (RFC 8827 section 6.5)",
    ),
    (
        "pingAllCandidates called with no candidate pairs",
        "an agent starts before the other end's candidates are known",
    ),
    (
        "IceHandler.handle_read got error: password is empty",
        "a check may arrive before the answer that holds its credentials (RFC 8445 section 7.3)",
    ),
    (
        ": duplicated",
        "a packet that was asked for twice, or delivered twice, is dropped (RFC 3711 section 3.3.2)",
    ),
];

/// The warnings that need a look, in order.
pub fn worth_a_look(warnings: &[String]) -> Vec<String> {
    let harmless = |line: &str| HARMLESS.iter().any(|(part, _)| line.contains(part));
    warnings
        .iter()
        .filter(|line| !harmless(line))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_noise_is_left_out() {
        let lines = [
            "0.1s WARN rtc: IceHandler.handle_read got error: password is empty",
            "0.2s WARN rtc: failed to decrypt",
        ];
        let lines = lines.map(str::to_owned);
        assert_eq!(worth_a_look(&lines), lines[1..]);
    }
}
