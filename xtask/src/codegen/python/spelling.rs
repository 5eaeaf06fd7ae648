//! How values and their types are spelled in Python.

use crate::codegen::model::{Field, Model, Ref, Shape};
use serde_json::Value;

/// Words that can't be names.
const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
    "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not",
    "or", "pass", "raise", "return", "try", "while", "with", "yield", "None", "True", "False",
];

/// The name, unless Python has it for itself.
pub(super) fn name<'a>(name: &'a str, place: &str) -> Result<&'a str, String> {
    if KEYWORDS.contains(&name) {
        return Err(format!("{place}: '{name}' is a word of Python"));
    }
    Ok(name)
}

/// The annotation of what is answered: one of the forms that `oz._object.decoder` reads.
pub(super) fn answered(kind: &Ref) -> String {
    match kind {
        Ref::Any => "Any".into(),
        Ref::Bool => "bool".into(),
        Ref::Int => "int".into(),
        Ref::Float => "float".into(),
        Ref::Str | Ref::Uuid => "str".into(),
        Ref::Time => "datetime".into(),
        Ref::Named(name) => name.clone(),
        Ref::List(inner) => format!("list[{}]", answered(inner)),
        Ref::Map(inner) => format!("dict[str, {}]", answered(inner)),
    }
}

/// The annotation of what is taken: more than what is answered.
pub(super) fn taken(kind: &Ref, model: &Model) -> String {
    match kind {
        Ref::Time => "Union[str, datetime]".into(),
        Ref::List(inner) => format!("Sequence[{}]", taken(inner, model)),
        Ref::Map(inner) => format!("Mapping[str, {}]", taken(inner, model)),
        Ref::Named(name) => match model.get(name).map(|t| &t.shape) {
            Some(Shape::Object(_)) => format!("Union[{name}Param, {name}]"),
            Some(Shape::Union { .. }) => format!("Union[Mapping[str, Any], {name}]"),
            _ => name.clone(),
        },
        plain => answered(plain),
    }
}

/// Whether a value must be made of its JSON before it is what its annotation says.
pub(super) fn made(kind: &Ref, model: &Model) -> bool {
    match kind {
        Ref::Time => true,
        Ref::List(inner) | Ref::Map(inner) => made(inner, model),
        Ref::Named(name) => !matches!(model.get(name).map(|t| &t.shape), Some(Shape::Enum(_))),
        _ => false,
    }
}

/// A field of a class: its annotation and what it is when absent.
pub(super) fn field(field: &Field, model: &Model) -> String {
    let annotation = answered(&field.kind);
    let open = matches!(field.default, Some(Value::Array(_) | Value::Object(_)));
    let optional = field.nullable || (!field.required && field.default.is_none());
    let annotation = if optional { format!("Optional[{annotation}]") } else { annotation };
    let value = match &field.default {
        Some(default) if open || made(&field.kind, model) => format!(" = lazy({})", literal(default)),
        Some(default) => format!(" = {}", literal(default)),
        None if made(&field.kind, model) => " = lazy()".to_owned(),
        None if optional => " = None".to_owned(),
        None => String::new(),
    };
    format!("{}: {annotation}{value}", field.name)
}

/// A JSON value in Python.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("\"{name}\": {}", literal(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
