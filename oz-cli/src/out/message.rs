//! Messages between runs as people read them.

use super::table::{self, Listing, short, time, time_or, utc};
use oz_core::api::{Message, MessageHeader};

/// A list of messages.
pub(crate) const LIST: Listing<MessageHeader, 6> = Listing {
    header: ["MESSAGE ID", "FROM", "SUBJECT", "SENT AT", "DELIVERED AT", "READ AT"],
    whole: 2,
    row: |message| {
        [
            message.message_id.clone(),
            message.sender_run_id.to_string(),
            short(Some(&message.subject)),
            time(message.sent_at),
            time_or(message.delivered_at, "-"),
            time_or(message.read_at, "-"),
        ]
    },
    none: "No messages found.",
};

/// A message: what it is, then what it says.
pub(crate) fn text(message: &Message) -> String {
    let header = &message.header;
    let card = table::card(&[
        ("Message", header.message_id.clone()),
        ("From", header.sender_run_id.to_string()),
        ("Subject", header.subject.clone()),
        ("Sent", utc(header.sent_at)),
        ("Delivered", header.delivered_at.map_or_else(|| "-".to_owned(), utc)),
        ("Read", header.read_at.map_or_else(|| "-".to_owned(), utc)),
    ]);
    format!("{card}\n\n{}", super::plain(message.body.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;

    fn message() -> Message {
        serde_json::from_value(serde_json::json!({
            "message_id": "m1", "sender_run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e",
            "subject": "done\u{1b}[2J", "body": "All tests pass.\nBye\u{7}.\n", "sent_at": "2026-03-02T08:00:00Z",
            "delivered_at": "2026-03-02T08:00:01Z", "read_at": null
        }))
        .unwrap()
    }

    #[test]
    fn many_are_a_table() {
        insta::assert_snapshot!(LIST.text(&[message().header], Format::Text), @"
        MESSAGE ID	FROM	SUBJECT	SENT AT	DELIVERED AT	READ AT
        m1	0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e	done	2026-03-02 08:00:00	2026-03-02 08:00:01	-
        ");
    }

    #[test]
    fn one_is_its_head_and_its_body() {
        insta::assert_snapshot!(text(&message()), @"
        Message     m1
        From        0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
        Subject     done
        Sent        2026-03-02 08:00:00 UTC
        Delivered   2026-03-02 08:00:01 UTC
        Read        -

        All tests pass.
        Bye.
        ");
    }
}
