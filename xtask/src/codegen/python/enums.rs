//! Words that a field may hold. A newer server may know more, so any text passes a type checker.

use super::{imports::all, lines::docstring};
use crate::codegen::model::{Model, Shape};

/// The names of all of them.
pub(super) fn names(model: &Model) -> Vec<String> {
    let enums = model.types.iter().filter(|t| matches!(t.shape, Shape::Enum(_)));
    enums.map(|t| t.name.clone()).collect()
}

/// The file.
pub(super) fn file(model: &Model) -> String {
    let mut text = format!(
        "\"\"\"Words that a field may hold; a newer server may know more.\"\"\"\n\nfrom typing import Literal, Union\n{}\n",
        all(&names(model))
    );
    for kind in &model.types {
        let Shape::Enum(values) = &kind.shape else { continue };
        text += &format!("{} = Union[\n    Literal[\n", kind.name);
        for value in values {
            text += &format!("        \"{value}\",\n");
        }
        text += &format!("    ],\n    str,\n]\n{}", docstring(&kind.doc, 0));
    }
    text
}
