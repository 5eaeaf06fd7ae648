//! Types as interfaces, words and unions of them. Fields keep the names that they have on the wire.

use super::{
    super::model::{Field, Model, Shape, Type},
    doc,
    names::{key, quoted},
    type_of,
};

/// All types.
pub(super) fn text(model: &Model) -> String {
    let types: Vec<String> = model.types.iter().map(one).collect();
    types.join("\n")
}

fn one(this: &Type) -> String {
    let Type { name, shape, .. } = this;
    let about = doc(&this.doc, 0);
    match shape {
        Shape::Object(fields) => format!("{about}export interface {name} {{\n{}}}\n", members(fields)),
        // Words that this version does not know stay strings; `& {}` keeps the known ones in the editor's list.
        Shape::Enum(words) => {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            format!("{about}export type {name} = {} | (string & {{}});\n", words.join(" | "))
        }
        Shape::Union { tag, common, variants } => {
            let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
            let mut text = format!("{about}export type {name} = {};\n", names.join(" | "));
            for variant in variants {
                text += &format!(
                    "\n{}export interface {} {{\n  {}: {};\n{}{}}}\n",
                    doc(&variant.doc, 0),
                    variant.name,
                    key(tag),
                    quoted(&variant.value),
                    members(common),
                    members(&variant.fields),
                );
            }
            text
        }
    }
}

/// Fields, a line each with its documentation.
fn members(fields: &[Field]) -> String {
    fields.iter().map(|field| doc(&field.doc, 2) + "  " + &member(field, "") + ";\n").collect()
}

/// A field: `name?: type`.
pub(super) fn member(field: &Field, prefix: &str) -> String {
    let optional = if field.required { "" } else { "?" };
    let null = if field.nullable { " | null" } else { "" };
    format!("{}{optional}: {}{null}", key(&field.name), type_of(&field.kind, prefix))
}
