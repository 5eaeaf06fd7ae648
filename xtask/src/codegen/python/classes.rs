//! The classes of what is answered.

use super::{
    imports::{all, head},
    lines::docstring,
    spelling,
};
use crate::codegen::model::{Field, Model, Shape, Type};

/// Types that do more than hold their fields, and what they do it by.
const DOING: &[(&str, &str)] =
    &[("Run", "RunShown"), ("RunCreated", "Watched"), ("RunPage", "Page"), ("WorkTask", "Handed")];

/// The types that are classes.
fn classes(model: &Model) -> impl Iterator<Item = &Type> {
    model.types.iter().filter(|t| (t.output || t.input) && !t.request && !matches!(t.shape, Shape::Enum(_)))
}

/// The names of all classes.
pub(super) fn names(model: &Model) -> Vec<String> {
    let mut names = Vec::new();
    for class in classes(model) {
        names.push(class.name.clone());
        if let Shape::Union { variants, .. } = &class.shape {
            names.extend(variants.iter().map(|v| v.name.clone()));
        }
    }
    names
}

/// The file.
pub(super) fn file(model: &Model) -> String {
    let mut text = all(&names(model));
    for class in classes(model) {
        let base = DOING.iter().find(|(name, _)| *name == class.name).map_or("Object", |(_, base)| base);
        text += &format!("\n\nclass {}({base}):\n{}", class.name, docstring(&class.doc, 4));
        match &class.shape {
            Shape::Object(fields) => {
                text += &body(fields, model, class.doc.is_empty());
                if class.input {
                    text += &format!(
                        "\n    if TYPE_CHECKING:\n\n        def __init__(self, **fields: Unpack[{}Param]) -> None: ...\n",
                        class.name
                    );
                }
            }
            Shape::Union { tag, common, variants } => {
                let kinds = variants.iter().map(|v| format!("        \"{}\": \"{}\",\n", v.value, v.name));
                text += &format!(
                    "\n    _tag = \"{tag}\"\n    _kinds = {{\n{}    }}\n",
                    kinds.collect::<String>()
                );
                text += &format!("\n    {tag}: str\n    \"\"\"Which of its kinds it is.\"\"\"\n");
                text += &body(common, model, false);
                for variant in variants {
                    text += &format!(
                        "\n\nclass {}({}):\n{}",
                        variant.name,
                        class.name,
                        docstring(&variant.doc, 4)
                    );
                    text += &body(&variant.fields, model, variant.doc.is_empty());
                }
            }
            Shape::Enum(_) => {}
        }
    }
    let loaded =
        "\nfrom .._doing import Handed, Page, RunShown, Watched\nfrom .._object import Object, lazy\n";
    head(model, "types", "What the server answers with.", loaded, &text) + &text
}

fn body(fields: &[Field], model: &Model, bare: bool) -> String {
    if fields.is_empty() && bare {
        return "    pass\n".to_owned();
    }
    let one = |field: &Field| format!("    {}\n{}", spelling::field(field, model), docstring(&field.doc, 4));
    let text: String = fields.iter().map(one).collect();
    if text.is_empty() { text } else { format!("\n{text}") }
}
