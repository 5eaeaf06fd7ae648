//! What callers may give instead of an object: dicts, with their keys.

use super::{
    imports::{all, head},
    lines::docstring,
    spelling,
};
use crate::codegen::model::{Field, Model, Shape, Type};

/// The objects that stand in requests.
fn given(model: &Model) -> impl Iterator<Item = (&Type, &[Field])> {
    model.types.iter().filter(|t| t.input && !t.request).filter_map(|t| match &t.shape {
        Shape::Object(fields) => Some((t, fields.as_slice())),
        Shape::Enum(_) | Shape::Union { .. } => None,
    })
}

/// The names of all of them.
pub(super) fn names(model: &Model) -> Vec<String> {
    given(model).map(|(t, _)| format!("{}Param", t.name)).collect()
}

/// The file.
pub(super) fn file(model: &Model) -> String {
    let mut text = all(&names(model));
    for (kind, fields) in given(model) {
        let name = format!("{}Param", kind.name);
        let (needed, other): (Vec<&Field>, Vec<&Field>) = fields.iter().partition(|field| field.required);
        let base =
            if needed.is_empty() || other.is_empty() { "TypedDict".to_owned() } else { format!("_{name}") };
        if base != "TypedDict" {
            text += &format!("\n\nclass {base}(TypedDict):\n{}", keys(&needed, model));
        }
        let total = if other.is_empty() { "" } else { ", total=False" };
        text += &format!("\n\nclass {name}({base}{total}):\n{}", docstring(&kind.doc, 4));
        let rest = if other.is_empty() { &needed } else { &other };
        text += &keys(rest, model);
        if rest.is_empty() && kind.doc.is_empty() {
            text += "    pass\n";
        }
    }
    head(model, "params", "What callers may give instead of an object.", "", &text) + &text
}

fn keys(fields: &[&Field], model: &Model) -> String {
    let one = |field: &&Field| {
        let kind = spelling::taken(&field.kind, model);
        let kind = if field.required { kind } else { format!("Optional[{kind}]") };
        format!("    {}: {kind}\n{}", field.name, docstring(&field.doc, 4))
    };
    fields.iter().map(one).collect()
}
