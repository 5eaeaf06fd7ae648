//! The methods of a noun, waiting and for asyncio.

use super::{imports::head, lines::docstring, spelling};
use crate::codegen::model::{Field, Kind, Method, Model, Noun, Ref, Shape};

/// Names that every method takes as options.
const OPTIONS: &[&str] = &["timeout", "max_retries", "headers", "extra_headers", "idempotency_key", "self"];

/// What every file with methods begins with.
pub(super) const CHECKED: &str = "# mypy: disable-error-code=\"no-any-return\"\n";

/// The file of a noun.
pub(super) fn file(model: &Model, noun: &Noun) -> Result<String, String> {
    let mut text = String::new();
    for (prefix, waits) in [("", true), ("Async", false)] {
        text += &format!("\n\nclass {prefix}{}(Resource):\n{}", noun.type_name, docstring(&noun.doc, 4));
        for method in &noun.methods {
            text += &written(model, noun, method, waits, "self._client")?;
        }
    }
    let mut loaded = "\nfrom .._client import CallOptions, Resource\n".to_owned();
    if text.contains("PageCall(") {
        loaded += "from .._page import PageCall\n";
    }
    Ok(CHECKED.to_owned() + &head(model, &noun.name, &noun.doc, &loaded, &text) + &text)
}

/// A method; `on` is the client that it calls.
pub(super) fn written(
    model: &Model,
    noun: &Noun,
    method: &Method,
    waits: bool,
    on: &str,
) -> Result<String, String> {
    let place = format!("{}.{}", noun.name, method.name);
    let path = if noun.name.is_empty() { method.name.clone() } else { place.clone() };
    let mut taken = vec!["self".to_owned()];
    for (i, field) in method.params.iter().enumerate() {
        if OPTIONS.contains(&field.name.as_str()) {
            return Err(format!("{place}: '{}' is an option of every method", field.name));
        }
        if i == method.positional {
            if method.kind == Kind::Upload {
                taken.push("content: bytes".to_owned());
            }
            taken.push("*".to_owned());
        }
        taken.push(parameter(spelling::name(&field.name, &place)?, field, model));
    }
    if method.params.len() == method.positional && method.kind == Kind::Upload {
        taken.push("content: bytes".to_owned());
    }
    taken.push("**options: Unpack[CallOptions]".to_owned());
    let fields = passed(method);
    let answer = method.answer.as_ref().filter(|kind| !is_empty(kind, model));
    let decoded = answer.map_or("None".to_owned(), |kind| format!("\"{}\"", spelling::answered(kind)));
    let typed = answer.map_or("None".to_owned(), |kind| spelling::answered(kind).replace("list[", "List["));
    let awaits = if waits { "" } else { "await " };
    let (keyword, returned, body) = match method.kind {
        Kind::Call if !waits && page_of(answer, model) => {
            let call = format!("return PageCall({on}._call(\"{path}\", {decoded}, {fields}, options))");
            ("def", format!("PageCall[{typed}]"), call)
        }
        Kind::Call => {
            let call = format!("{awaits}{on}._call(\"{path}\", {decoded}, {fields}, options)");
            let call = if answer.is_some() { format!("return {call}") } else { call };
            (if waits { "def" } else { "async def" }, typed, call)
        }
        Kind::Stream => {
            let name = if path == "watch" { "Watch" } else { "Stream" };
            let call = format!("return {on}._stream(\"{path}\", {decoded}, {fields}, options)");
            ("def", format!("{name}[{typed}]"), call)
        }
        Kind::Bytes => {
            ("def", "Bytes".to_owned(), format!("return {on}._bytes(\"{path}\", {fields}, options)"))
        }
        Kind::Upload => {
            let call = format!("{awaits}{on}._upload(\"{path}\", {fields}, content, options)");
            (if waits { "def" } else { "async def" }, "None".to_owned(), call)
        }
    };
    let head = format!(
        "    {keyword} {}({}) -> {returned}:\n",
        spelling::name(&method.name, &place)?,
        taken.join(", ")
    );
    let head = if head.len() > 121 { broken(keyword, &method.name, &taken, &returned) } else { head };
    Ok(format!("\n{head}{}        {body}\n", docstring(&documented(method), 8)))
}

/// The head of a method, a parameter a line.
fn broken(keyword: &str, name: &str, taken: &[String], returned: &str) -> String {
    let lines: String = taken.iter().map(|parameter| format!("        {parameter},\n")).collect();
    format!("    {keyword} {name}(\n{lines}    ) -> {returned}:\n")
}

/// The request as a dict, on one line when it fits.
fn passed(method: &Method) -> String {
    let pairs: Vec<String> = method.params.iter().map(|f| format!("\"{0}\": {0}", f.name)).collect();
    if pairs.iter().map(|pair| pair.len() + 2).sum::<usize>() < 50 {
        return format!("{{{}}}", pairs.join(", "));
    }
    let lines: String = pairs.iter().map(|pair| format!("            {pair},\n")).collect();
    format!("{{\n{lines}        }}")
}

fn parameter(name: &str, field: &Field, model: &Model) -> String {
    let kind = spelling::taken(&field.kind, model);
    if field.required { format!("{name}: {kind}") } else { format!("{name}: Optional[{kind}] = None") }
}

/// What it does, and what each parameter is.
fn documented(method: &Method) -> String {
    let mut doc = method.doc.trim().to_owned();
    if method.params.iter().any(|field| !field.doc.is_empty()) {
        doc += "\n\nArgs:";
        for field in method.params.iter().filter(|field| !field.doc.is_empty()) {
            doc += &format!(
                "\n    {}: {}",
                field.name,
                field.doc.split_whitespace().collect::<Vec<_>>().join(" ")
            );
        }
    }
    doc
}

/// Whether an answer says nothing.
fn is_empty(kind: &Ref, model: &Model) -> bool {
    let Ref::Named(name) = kind else { return false };
    matches!(model.get(name).map(|t| &t.shape), Some(Shape::Object(fields)) if fields.is_empty())
}

/// Whether an answer is a page, after which more may come.
fn page_of(kind: Option<&Ref>, model: &Model) -> bool {
    kind == Some(&Ref::Named("RunPage".to_owned())) && model.get("RunPage").is_some()
}
