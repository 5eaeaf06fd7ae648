//! Saved prompts: texts to be used again.

use oz_core::api::{Empty, SavedPrompt, SavedPromptList};

noun! {
    /// Calls about saved prompts.
    SavedPrompts saved_prompts
}

calls! { SavedPrompts;
    /// Lists saved prompts.
    list(ListSavedPrompts {}) -> SavedPromptList;
    /// Makes a saved prompt.
    create(CreateSavedPrompt) -> SavedPrompt;
    /// Gets the saved prompt with this id.
    get(GetSavedPrompt { uid: String }) -> SavedPrompt;
    /// Replaces a saved prompt. With a revision, only the one that the caller has seen.
    update(UpdateSavedPrompt) -> SavedPrompt;
    /// Deletes the saved prompt with this id.
    delete(DeleteSavedPrompt { uid: String }) -> Empty;
}
