//! The rules: whatever a message is, what they find lies in it.

use bytes::Bytes;
use ringback_lint::{Config, FINDINGS_MAX, Report, Severity, Subject, report};
use ringback_message::Message;

/// A message; or a request, and behind a NUL a response that is judged with it.
pub(crate) fn check(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (Some(first), second) = (parts.next().and_then(read), parts.next().and_then(read)) else { return };
    let config = Config::default();
    sound(&first, &report(&Subject::new(&first), &config));
    let second = second.unwrap_or_else(|| first.clone());
    sound(&second, &report(&Subject::answering(&first, &second), &config));
}

/// What could be read of it, as the tools have it.
fn read(bytes: &[u8]) -> Option<Message> {
    Message::parse(Bytes::copy_from_slice(bytes)).map_or_else(|rejected| rejected.salvage, Some)
}

fn sound(message: &Message, report: &Report) {
    let length = message.as_bytes().len();
    assert!(report.findings.len() <= FINDINGS_MAX);
    assert!(report.findings.is_sorted_by_key(|finding| finding.span.start));
    for finding in &report.findings {
        assert!(finding.span.start <= finding.span.end && finding.span.end <= length, "{finding:?}");
        assert!(!finding.text.is_empty() && finding.section.starts_with("RFC "), "{finding:?}");
    }
    let left_out = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| report.left_out(severity));
    assert!(left_out.iter().sum::<usize>() == 0 || report.findings.len() == FINDINGS_MAX);
    // What is left out is never worse than what is told.
    let told = |severity| report.findings.iter().any(|finding| finding.severity < severity);
    assert!(left_out[0] == 0 || !told(Severity::Error));
    assert!(left_out[1] == 0 || !told(Severity::Warning));
}
