//! Messages between runs of one family.

use oz_core::api::{Empty, Message, MessageHeader, MessageSent};

noun! {
    /// Calls about messages between runs.
    Messages messages
}

calls! { Messages;
    /// Sends a message from one run to others of the same family.
    send(SendMessage) -> MessageSent;
    /// Lists the messages that a run got, newest first.
    list(ListMessages) -> Vec<MessageHeader>;
    /// Reads the message with this id; it counts as read from then on.
    read(ReadMessage { message_id: String }) -> Message;
    /// Says that the message with this id reached the agent.
    mark_delivered(MessageDelivered { message_id: String }) -> Empty;
}
