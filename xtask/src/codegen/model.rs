//! What the API is, in no language: the types of the endpoint table and the methods of the client. The emitters write it
//! down in Python and TypeScript; they know their language and nothing of schemas.

/// All of it, in the order in which it is written.
pub(crate) struct Model {
    /// Every type by name.
    pub(crate) types: Vec<Type>,
    /// Every noun of the client.
    pub(crate) nouns: Vec<Noun>,
}

/// A type with a name.
pub(crate) struct Type {
    /// Its name, which no other has.
    pub(crate) name: String,
    /// What it is; lines of Markdown.
    pub(crate) doc: String,
    /// What it looks like.
    pub(crate) shape: Shape,
    /// Whether a caller sends it, by itself or in something else.
    pub(crate) input: bool,
    /// Whether the server answers with it, by itself or in something else.
    pub(crate) output: bool,
    /// Whether it is the whole request of a call.
    pub(crate) request: bool,
}

/// What a type looks like.
pub(crate) enum Shape {
    /// A JSON object.
    Object(Vec<Field>),
    /// A string: one of these, or one that a newer server knows.
    Enum(Vec<String>),
    /// One of several objects, told apart by the string in the field `tag`; a newer server may know more of them.
    Union {
        /// The field that tells.
        tag: String,
        /// Fields that all of them have.
        common: Vec<Field>,
        /// What it may be.
        variants: Vec<Variant>,
    },
}

/// One of the objects that a union may be.
pub(crate) struct Variant {
    /// The name of its type, which begins with that of the union.
    pub(crate) name: String,
    /// What it is.
    pub(crate) doc: String,
    /// What stands in the union's tag.
    pub(crate) value: String,
    /// Its fields, without the tag and those that all variants have.
    pub(crate) fields: Vec<Field>,
}

/// A field of an object, or a parameter of a method.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    /// Its name on the wire.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) doc: String,
    /// What it is when it is neither absent nor null.
    pub(crate) kind: Ref,
    /// Whether it must be there.
    pub(crate) required: bool,
    /// Whether it may be null, which means the same as absent.
    pub(crate) nullable: bool,
    /// What absent means, where that is a value.
    pub(crate) default: Option<serde_json::Value>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ref {
    /// Any JSON.
    Any,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A text.
    Str,
    /// A UUID, as text.
    Uuid,
    /// A moment, as RFC 3339.
    Time,
    /// A type of [`Model::types`].
    Named(String),
    /// A list.
    List(Box<Ref>),
    /// An object with any keys.
    Map(Box<Ref>),
}

/// Calls about one thing, such as runs.
pub(crate) struct Noun {
    /// How the client calls it, such as `runs`; empty for what the client does itself.
    pub(crate) name: String,
    /// The name of its class, such as `Runs`.
    pub(crate) type_name: String,
    /// What it is about.
    pub(crate) doc: String,
    /// Its methods.
    pub(crate) methods: Vec<Method>,
}

/// A method of the client.
pub(crate) struct Method {
    /// Its name, in snake case.
    pub(crate) name: String,
    /// What it does.
    pub(crate) doc: String,
    /// How it answers.
    pub(crate) kind: Kind,
    /// What it takes: first those that may be given by position, then the others, required ones first.
    pub(crate) params: Vec<Field>,
    /// How many of the parameters may be given by position.
    pub(crate) positional: usize,
    /// The name of its request's type.
    #[allow(dead_code, reason = "not every language has types of requests")]
    pub(crate) request: String,
    /// What it answers, or what each item is; absent when it answers nothing or bytes.
    pub(crate) answer: Option<Ref>,
}

/// How a method answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Once.
    Call,
    /// With items, one after another.
    Stream,
    /// With bytes, as they come.
    Bytes,
    /// Once, and it takes bytes.
    Upload,
}

impl Model {
    /// The type of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Type> {
        self.types.iter().find(|t| t.name == name)
    }
}
