//! Skills to choose from.

use oz_core::api::SkillList;

noun! {
    /// Calls about skills.
    Skills skills
}

calls! { Skills;
    /// Lists the skills in the repositories that runs have used.
    list(ListSkills) -> SkillList;
}
