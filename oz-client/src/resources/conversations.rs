//! Conversations, which outlive the runs that they went on in.

use crate::{
    Error,
    method::{self, How, Method, OfConversation},
};
use bytes::Bytes;
use futures_util::Stream;
use oz_core::{
    ConversationId,
    api::{BASE, ConversationForked, ConversationRedirect, ConversationTitle, SessionRedirect},
    conversation::Conversation,
};
use uuid::Uuid;

noun! {
    /// Calls about conversations.
    Conversations conversations
}

calls! { Conversations + BY_HAND;
    /// Gets the conversation with this id.
    get(GetConversation { conversation_id: ConversationId }) -> Conversation;
    /// Forks a conversation: makes a new one that begins as a copy of it.
    fork(ForkConversation) -> ConversationForked;
    /// Gives the conversation with this id another title.
    rename(RenameConversation { conversation_id: ConversationId, title: String }) -> ConversationTitle;
    /// Gets the session that the conversation with this id goes on in, if one is live. Needs no key.
    session_of(CheckConversationRedirect { conversation_id: ConversationId }) -> ConversationRedirect;
    /// Gets the conversation that holds what happened in the session with this id, once that is over. Needs no key.
    of_session(CheckSessionRedirect { session_id: Uuid }) -> SessionRedirect;
}

/// What is written out below.
const BY_HAND: &[Method] = &[Method::transferred::<OfConversation>(
    (NAME, "block_snapshot"),
    "The blocks of the conversation with this id, as bytes. The key goes to the server and not to the signed address of \
     the bytes.",
    How::Bytes(|client, request| {
        method::bytes(&request, |of: OfConversation| async move {
            client.conversations().block_snapshot(of.conversation_id).await
        })
    }),
)
.taking(&["conversation_id"])];

impl Conversations<'_> {
    /// The blocks of the conversation with this id, as bytes. The key goes to the server and not to the signed address
    /// of the bytes.
    ///
    /// # Errors
    /// What the server or the address answered. When the bytes break off later, an error is the last item of the
    /// stream.
    pub async fn block_snapshot(
        &self,
        conversation_id: ConversationId,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        self.0.bytes_at(&format!("{BASE}/agent/conversations/{conversation_id}/block-snapshot")).await
    }
}
