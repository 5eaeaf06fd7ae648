//! `oz._native`: the client of `oz-bridge` for Python. It translates the calling conventions, blocking and asyncio, and knows
//! no method, type or rule of the API; requests and answers pass as JSON text.

mod client;
mod embedded;
mod failure;
mod hooks;
mod items;
mod port;
mod rules;
mod wait;

use pyo3::prelude::*;

/// The native half of `oz`.
#[pymodule]
#[pyo3(name = "_native")]
fn native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<client::Client>()?;
    module.add_class::<items::Items>()?;
    module.add_class::<port::Port>()?;
    module.add_class::<port::Stop>()?;
    module.add_class::<port::Ticket>()?;
    module.add_class::<embedded::Served>()?;
    module.add_function(wrap_pyfunction!(embedded::serve, module)?)?;
    module.add_function(wrap_pyfunction!(embedded::work, module)?)?;
    module.add_function(wrap_pyfunction!(embedded::run_local, module)?)?;
    module.add_function(wrap_pyfunction!(embedded::begin_run_local, module)?)?;
    module.add_function(wrap_pyfunction!(embedded::run_task, module)?)?;
    module.add_function(wrap_pyfunction!(rules::can_transition, module)?)?;
    module.add_function(wrap_pyfunction!(rules::next_state, module)?)?;
    module.add_function(wrap_pyfunction!(rules::schemas, module)?)?;
    module.add_function(wrap_pyfunction!(rules::validate, module)?)?;
    module.add_function(wrap_pyfunction!(rules::methods, module)?)
}
