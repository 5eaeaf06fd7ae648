//! Nouns as classes whose methods are one line each: a name, a request, and how it is answered.

use super::{
    super::{
        model::{Field, Kind, Method, Model, Noun},
        published,
    },
    doc,
    names::{camel, key, pascal},
    shapes::member,
    type_of,
};
use std::fmt::Write as _;

const IMPORTS: &str = "import type { Bytes, Items } from '../items.js';\n\
     import type { RequestOptions } from '../transport.js';\n\
     import type * as t from './types.js';\n";

/// The classes of all nouns.
pub(super) fn nouns(model: &Model) -> String {
    let mut text = format!("import {{ Resource }} from '../resource.js';\n{IMPORTS}");
    for noun in model.nouns.iter().filter(|noun| !noun.name.is_empty()) {
        let methods: Vec<String> = noun.methods.iter().map(|m| method(&noun.name, &m.name, m)).collect();
        let _ = write!(
            text,
            "\n{}export class {} extends Resource {{\n{}}}\n",
            doc(&noun.doc, 0),
            class(noun),
            methods.join("\n")
        );
    }
    text
}

/// The class with all nouns and the client's own methods.
pub(super) fn api(model: &Model) -> String {
    let (own, nouns): (Vec<&Noun>, Vec<&Noun>) = model.nouns.iter().partition(|noun| noun.name.is_empty());
    let classes: Vec<String> = nouns.iter().map(|noun| class(noun)).collect();
    let mut text = format!(
        "import {{ Resource }} from '../resource.js';\nimport type {{ Transport }} from '../transport.js';\n{IMPORTS}\
         import {{ Agent }} from './published.js';\n\
         import {{\n{}}} from './nouns.js';\n\n\
         /** Everything that a client can do. */\nexport abstract class Api extends Resource {{\n",
        classes.iter().map(|name| format!("  {name},\n")).collect::<String>(),
    );
    text += "  /** The same calls under the names of the published package. */\n  readonly agent: Agent;\n";
    for noun in &nouns {
        let _ = writeln!(text, "{}  readonly {}: {};", doc(&noun.doc, 2), camel(&noun.name), class(noun));
    }
    text += "\n  /** @internal */\n  constructor(transport: Transport) {\n    super(transport);\n";
    for noun in &nouns {
        let _ = writeln!(text, "    this.{} = new {}(transport);", camel(&noun.name), class(noun));
    }
    text += "    this.agent = new Agent(transport);\n  }\n";
    for m in own.iter().flat_map(|noun| &noun.methods) {
        text += "\n";
        text += &method("", &m.name, m);
    }
    text + "}\n"
}

fn class(noun: &Noun) -> String {
    noun.type_name.clone()
}

/// A method called `name`: its signature and the line that calls it.
fn method(noun: &str, name: &str, m: &Method) -> String {
    let full = if noun.is_empty() { m.name.clone() } else { format!("{noun}.{}", m.name) };
    let Takes { mut params, request } = takes(m);
    if m.kind == Kind::Upload {
        params.push("bytes: Uint8Array | string".to_owned());
    }
    params.push("options?: RequestOptions".to_owned());
    let answer = m.answer.as_ref().map_or_else(|| "void".to_owned(), |answer| type_of(answer, "t."));
    let (gives, call) = match m.kind {
        Kind::Call if m.answer.is_none() => ("Promise<void>".to_owned(), "perform"),
        Kind::Call => (format!("Promise<{answer}>"), "call"),
        Kind::Stream => (format!("Items<{answer}>"), "items"),
        Kind::Bytes => ("Bytes".to_owned(), "bytes"),
        Kind::Upload => ("Promise<void>".to_owned(), "upload"),
    };
    let bytes = if m.kind == Kind::Upload { ", bytes" } else { "" };
    format!(
        "{}  {}({}): {gives} {{\n    return this._transport.{call}('{full}', {request}{bytes}, options);\n  }}\n",
        doc(&about(m), 2),
        camel(name),
        params.join(", "),
    )
}

/// What a method takes, and the request that it makes of that.
struct Takes {
    params: Vec<String>,
    request: String,
}

fn takes(m: &Method) -> Takes {
    let (by_place, rest) = m.params.split_at(m.positional.min(m.params.len()));
    let mut params: Vec<String> = by_place.iter().map(|field| member(field, "t.")).collect();
    let names: Vec<String> = by_place.iter().map(|field| key(&field.name)).collect();
    if rest.is_empty() {
        let request = if names.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", names.join(", ")) };
        return Takes { params, request };
    }
    let whole = if names.is_empty() {
        format!("t.{}", m.request)
    } else {
        let left: Vec<String> = by_place.iter().map(|field| format!("'{}'", field.name)).collect();
        format!("Omit<t.{}, {}>", m.request, left.join(" | "))
    };
    let absent = if rest.iter().any(|field| field.required) { "" } else { " = {}" };
    params.push(format!("request: {whole}{absent}"));
    let request = if names.is_empty() {
        "request".to_owned()
    } else {
        format!("{{ ...request, {} }}", names.join(", "))
    };
    Takes { params, request }
}

/// What a method does, with what its parameters mean.
fn about(m: &Method) -> String {
    let documented: Vec<&Field> =
        m.params.iter().take(m.positional).filter(|field| !field.doc.is_empty()).collect();
    let mut text = m.doc.trim().to_owned();
    for (i, field) in documented.iter().enumerate() {
        text += if i == 0 { "\n\n" } else { "\n" };
        text += &format!("@param {} - {}", field.name, field.doc.replace('\n', " "));
    }
    text
}

/// The classes behind the paths of the published package.
pub(super) fn published(model: &Model) -> String {
    let mut classes = String::new();
    let (mut fields, mut made) = (String::new(), String::new());
    let mut bases: Vec<String> = Vec::new();
    for (path, noun) in published::NOUNS {
        let Some(noun) = model.nouns.iter().find(|other| other.name == *noun) else { continue };
        let base = class(noun);
        let aliases = aliases(model, path);
        let class = if aliases.is_empty() { base.clone() } else { pascal(path) };
        if !aliases.is_empty() {
            let about = format!("{} With the names of the published package.", doc_line(&noun.doc));
            classes += &format!("\n{}export class {class} extends {base} {{\n{aliases}}}\n", doc(&about, 0));
        }
        let name = camel(path.rsplit('.').next().unwrap_or(path));
        fields += &format!("{}  readonly {name}: {class};\n", doc(&noun.doc, 2));
        made += &format!("    this.{name} = new {class}(transport);\n");
        bases.push(base);
    }
    bases.sort();
    bases.dedup();
    format!(
        "import {{ Resource }} from '../resource.js';\nimport type {{ Transport }} from '../transport.js';\n\
         import type {{ RequestOptions }} from '../transport.js';\nimport type * as t from './types.js';\n\
         import {{ {} }} from './nouns.js';\n{classes}\n\
         /** The paths of the published package, over the same calls. */\nexport class Agent extends Resource {{\n{fields}\n  \
         /** @internal */\n  constructor(transport: Transport) {{\n    super(transport);\n{made}  }}\n\n{}}}\n",
        bases.join(", "),
        aliases(model, "agent"),
    )
}

/// The methods that stand directly at a path of the published package.
fn aliases(model: &Model, path: &str) -> String {
    let found = published::at(path).filter_map(|(alias, full)| {
        let (noun, name) = full.split_once('.')?;
        let methods = &model.nouns.iter().find(|other| other.name == noun)?.methods;
        Some(method(noun, alias, methods.iter().find(|m| m.name == name)?))
    });
    found.collect::<Vec<_>>().join("\n")
}

/// Documentation as one line that ends like a sentence.
fn doc_line(text: &str) -> String {
    let line = text.trim().replace('\n', " ");
    if line.ends_with('.') { line } else { line + "." }
}
