//! Every environment variable that Oz reads or sets, in one place.

macro_rules! vars {
    ($($(#[doc = $doc:literal])+ $name:ident = $value:literal;)*) => {
        $($(#[doc = $doc])+ pub const $name: &str = $value;)*
        /// Every variable with its description.
        pub const ALL: &[(&str, &str)] = &[$(($value, concat!($($doc),+))),*];
    };
}

vars! {
    /// The API key of the command line, the SDKs and the worker.
    API_KEY = "OZ_API_KEY";
    /// The same under its compatible name; `OZ_API_KEY` wins.
    WARP_API_KEY = "WARP_API_KEY";
    /// Address of the control plane.
    SERVER_URL = "OZ_SERVER_URL";
    /// The same under its compatible name; `OZ_SERVER_URL` wins.
    WARP_SERVER_ROOT_URL = "WARP_SERVER_ROOT_URL";
    /// How commands print: `pretty`, `json`, `ndjson` or `text`.
    OUTPUT_FORMAT = "WARP_OUTPUT_FORMAT";
    /// Configuration file of `oz agent run` and `run-cloud`.
    AGENT_CONFIG_FILE = "WARP_AGENT_CONFIG_FILE";
    /// API key that the first start of `oz serve` creates instead of a random one.
    BOOTSTRAP_API_KEY = "OZ_BOOTSTRAP_API_KEY";
    /// Directory of the control plane's data.
    DATA_DIR = "OZ_DATA_DIR";
    /// PostgreSQL database of the control plane, such as `postgres://oz@localhost/oz`; SQLite when absent.
    DATABASE_URL = "OZ_DATABASE_URL";
    /// Blob storage of the control plane: `file:///DIR` or `s3://BUCKET/PREFIX`; a directory beside the data when absent.
    BLOB_URL = "OZ_BLOB_URL";
    /// Address under which users and workers reach the control plane, when it is not the one they call.
    PUBLIC_URL = "OZ_PUBLIC_URL";
    /// Master key of the vault for secrets: the key (base64 or 64 hex digits), `file:PATH`, or `command:COMMAND`, which
    /// prints it; a file in the configuration directory when absent.
    MASTER_KEY = "OZ_MASTER_KEY";
    /// The master key before it, in the same forms, for the start that changes it.
    PREVIOUS_MASTER_KEY = "OZ_PREVIOUS_MASTER_KEY";
    /// More directories with skills for every run of this machine, each in a directory of its own, separated as in `PATH`.
    SKILL_DIRS = "WARP_SKILL_DIRS";
    /// Inside a run: its id.
    RUN_ID = "OZ_RUN_ID";
    /// Inside a run: its execution's id.
    EXECUTION_ID = "OZ_EXECUTION_ID";
    /// Inside a run: the token that proves it.
    WORKLOAD_TOKEN = "WARP_WORKLOAD_TOKEN";
    /// Inside a run: the workspace's directory.
    WORKSPACE_ROOT = "OZ_WORKSPACE_ROOT";
    /// Inside a run: the worker's backend.
    WORKER_BACKEND = "OZ_WORKER_BACKEND";
    /// Inside a run: marks all processes of one command of the agent.
    PROCESS_MARK = "OZ_PROCESS_MARK";
    /// Inside a run: the socket where its git logins and identity tokens are.
    GIT_SOCKET = "OZ_GIT_SOCKET";
    /// Inside a run: set when its limits on memory, processors and processes hold.
    SANDBOX_LIMITED = "OZ_SANDBOX_LIMITED";
    /// Inside a run: the kernel's file that counts processes killed for want of memory.
    MEMORY_EVENTS = "OZ_MEMORY_EVENTS";
    /// Names of variables of the worker that its agents get, with commas between them.
    AGENT_ENV_PASS = "OZ_AGENT_ENV_PASS";
    /// Directory where runs keep copies of repositories, so that each clones faster.
    GIT_CACHE_DIR = "OZ_GIT_CACHE_DIR";
    /// Key for Anthropic's API.
    ANTHROPIC_API_KEY = "ANTHROPIC_API_KEY";
    /// Address of an Anthropic-compatible API.
    ANTHROPIC_BASE_URL = "ANTHROPIC_BASE_URL";
    /// Key for OpenAI's API or a compatible one.
    OPENAI_API_KEY = "OPENAI_API_KEY";
    /// Address of an OpenAI-compatible API, such as `http://localhost:11434/v1`.
    OPENAI_BASE_URL = "OPENAI_BASE_URL";
    /// Which OpenAI API to speak: `responses` or `chat`; by default `responses` for api.openai.com, `chat` elsewhere.
    OPENAI_API = "OZ_OPENAI_API";
    /// Address of an Ollama server, such as `127.0.0.1:11434`.
    OLLAMA_HOST = "OLLAMA_HOST";
    /// The model to use when a run names none.
    MODEL = "OZ_MODEL";
    /// Models to go on with while the chosen one is not available, with commas between them; for runs that name none.
    MODEL_FALLBACK = "OZ_MODEL_FALLBACK";
    /// YAML file with model services, by its absolute path. `oz agent run` reads `models.yaml` in its configuration directory when it is not set.
    MODELS_FILE = "OZ_MODELS_FILE";
    /// YAML script of the `scripted` model.
    SCRIPTED_MODEL = "OZ_SCRIPTED_MODEL";
    /// YAML file with prices of models that the built-in table lacks.
    MODEL_PRICES = "OZ_MODEL_PRICES";
    /// Seconds of silence after which a model's answer counts as lost; 120 by default. Slow local models need more.
    MODEL_TIMEOUT = "OZ_MODEL_TIMEOUT";
    /// How many tokens the model can read; by default what is known of it by its name, or else 128,000. A conversation is shortened before it becomes longer.
    MODEL_CONTEXT_TOKENS = "OZ_MODEL_CONTEXT_TOKENS";
    /// Search service of the agent's `web_search`: an address that answers `?q=…&format=json` as SearXNG does.
    WEB_SEARCH_URL = "OZ_WEB_SEARCH_URL";
    /// `1`: the agent's `fetch_url` may reach private, local and link-local addresses too.
    WEB_ALLOW_PRIVATE = "OZ_WEB_ALLOW_PRIVATE";
    /// Any value: no colour in output.
    NO_COLOR = "NO_COLOR";
}

/// What runs of a worker get of its own environment, whatever else is in it. Bedrock answers nobody who does not say where.
const PLAIN: &[&str] = &[
    "HOME",
    "TMPDIR",
    "PATH",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "TZ",
    "LANG",
    "LANGUAGE",
    "NO_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "no_proxy",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "AWS_REGION",
    "NODE_EXTRA_CA_CERTS",
];
/// The beginnings of names that they get as well.
const PLAIN_ALIKE: &[&str] = &["LC_", "SSL_CERT_"];

/// What names a run to its commands, and what the worker and its agent tell them. Keys are not among it.
pub const OF_RUN: &[&str] = &[
    RUN_ID,
    EXECUTION_ID,
    WORKSPACE_ROOT,
    WORKER_BACKEND,
    SANDBOX_LIMITED,
    MEMORY_EVENTS,
    SERVER_URL,
    WARP_SERVER_ROOT_URL,
    "TASK_ID",
    "GIT_TERMINAL_PROMPT",
    "GH_PROMPT_DISABLED",
    "GIT_CONFIG_GLOBAL",
    "OZ_ENVIRONMENT_FILE",
];

/// Whether runs of a worker get this variable of its environment without being told.
#[must_use]
pub fn is_plain(name: &str) -> bool {
    PLAIN.contains(&name) || PLAIN_ALIKE.iter().any(|start| name.starts_with(start))
}

/// The names in the value of [`AGENT_ENV_PASS`].
pub fn listed(names: &str) -> impl Iterator<Item = &str> {
    names.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// The variables that configure the agent's model providers and its way to the web. A worker hands them to the agent process; the commands that the
/// agent runs never see them.
pub const MODEL_PROVIDER: &[&str] = &[
    ANTHROPIC_API_KEY,
    ANTHROPIC_BASE_URL,
    OPENAI_API_KEY,
    OPENAI_BASE_URL,
    OPENAI_API,
    OLLAMA_HOST,
    MODEL,
    MODEL_FALLBACK,
    MODELS_FILE,
    SCRIPTED_MODEL,
    MODEL_PRICES,
    MODEL_TIMEOUT,
    MODEL_CONTEXT_TOKENS,
    WEB_SEARCH_URL,
    WEB_ALLOW_PRIVATE,
];

/// What logs command line agents of others in, beside [`MODEL_PROVIDER`]. A worker hands it to the agent process; the
/// commands that the agent runs never see it.
pub const HARNESS_LOGIN: &[&str] = &[
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_BEDROCK_BASE_URL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "CODEX_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "OPENROUTER_API_KEY",
];
