//! Calls and streams by name.

use crate::{
    CallOptions, ClientOptions, Failure, Pieces,
    guard::{guarded, guarded_async, guarded_stream},
    runtime::PerProcess,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use oz_client::{
    Client,
    connection::Connection,
    method::{self, Method},
};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// With this variable set, the method `debug.panic` does what its name says, for the tests of bindings.
const PANICS: &str = "OZ_BRIDGE_PANICS";

/// A client that is called by the names of its methods. Cheap to clone; usable in a process that was forked from the one
/// that made it.
#[derive(Clone)]
pub struct Bridge(Arc<Inner>);

struct Inner {
    options: ClientOptions,
    connection: Connection,
    client: PerProcess<Client>,
}

impl fmt::Debug for Bridge {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").field("server_url", &self.server_url()).finish_non_exhaustive()
    }
}

impl Bridge {
    /// A client with these options.
    ///
    /// # Errors
    /// [`Kind::Config`](crate::Kind::Config) when the address, the key or another option can't be used, or when there is
    /// no key.
    pub fn new(options: ClientOptions) -> Result<Self, Failure> {
        guarded(|| {
            options.merged(&CallOptions::default())?;
            let connection = Connection::find(options.base_url.clone(), options.api_key.clone());
            let bridge = Self(Arc::new(Inner { options, connection, client: PerProcess::new() }));
            bridge.client()?;
            Ok(bridge)
        })
    }

    /// Address of the control plane.
    #[must_use]
    pub fn server_url(&self) -> &str {
        &self.0.connection.server_url
    }

    /// Calls a method that answers once, such as `runs.create`, with its request, a JSON object. The answer is JSON.
    /// Dropping the future cancels the call.
    ///
    /// # Errors
    /// Whatever goes wrong.
    pub async fn call(&self, method: &str, request: &[u8], options: &CallOptions) -> Result<Bytes, Failure> {
        guarded_async(async {
            let request = read(request)?;
            Ok(find(method)?.call(&self.with(options)?, request).await?)
        })
        .await
    }

    /// What a method streams, such as `watch` or `runs.list_all`: JSON texts, or bytes. Dropping the stream ends it.
    ///
    /// # Errors
    /// Whatever is wrong before anything is sent; what goes wrong later is the last item.
    pub fn stream(&self, method: &str, request: &[u8], options: &CallOptions) -> Result<Pieces, Failure> {
        guarded(|| {
            let request = read(request)?;
            let pieces = find(method)?.stream(&self.with(options)?, request)?;
            Ok(guarded_stream(pieces.map(|piece| piece.map_err(Failure::from)).boxed()))
        })
    }

    /// The same as [`stream`](Self::stream), with what is there at once in one piece: a JSON array of up to `most` items.
    /// Crossing into another language costs more than an item.
    ///
    /// # Errors
    /// Those of [`stream`](Self::stream).
    pub fn batches(
        &self,
        method: &str,
        request: &[u8],
        options: &CallOptions,
        most: usize,
    ) -> Result<Pieces, Failure> {
        let items = self.stream(method, request, options)?.ready_chunks(most.max(1));
        Ok(items.flat_map(|items| stream::iter(joined(items))).boxed())
    }

    /// Calls a method that takes bytes beside its request, such as `artifacts.upload`.
    ///
    /// # Errors
    /// Whatever goes wrong.
    pub async fn upload(
        &self,
        method: &str,
        request: &[u8],
        bytes: Bytes,
        options: &CallOptions,
    ) -> Result<(), Failure> {
        guarded_async(async {
            let request = read(request)?;
            Ok(find(method)?.upload(&self.with(options)?, request, bytes).await?)
        })
        .await
    }

    /// The client of this process.
    fn client(&self) -> Result<Arc<(u32, Client)>, Failure> {
        let make = || {
            let made = self.0.connection.clone().client()?;
            let client = made.ok_or_else(Failure::no_key)?;
            Ok(match &self.0.options.source {
                Some(source) => client.with_source(source),
                None => client,
            })
        };
        self.0.client.get(make, drop)
    }

    /// The client underneath.
    pub(crate) fn plain(&self) -> Result<Client, Failure> {
        self.with(&CallOptions::default())
    }

    fn with(&self, options: &CallOptions) -> Result<Client, Failure> {
        Ok(self.client()?.1.with_options(self.0.options.merged(options)?))
    }
}

fn find(name: &str) -> Result<&'static Method, Failure> {
    if name == "debug.panic" && std::env::var_os(PANICS).is_some() {
        #[expect(clippy::panic, reason = "tests of bindings ask for it")]
        {
            panic!("as it was asked to");
        }
    }
    method::find(name).ok_or_else(|| Failure::config(format!("there is no method '{name}'")))
}

fn read(request: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(request)
        .map_err(|e| oz_core::Error::invalid(format!("request: it is not valid JSON: {e}")).into())
}

/// Items as one array; an error comes after what came before it.
fn joined(items: Vec<Result<Bytes, Failure>>) -> Vec<Result<Bytes, Failure>> {
    let (mut array, mut failed) = (vec![b'['], None);
    for item in items {
        match item {
            Ok(text) => {
                if array.len() > 1 {
                    array.push(b',');
                }
                array.extend_from_slice(&text);
            }
            Err(failure) => failed = Some(Err(failure)),
        }
    }
    let some = array.len() > 1;
    array.push(b']');
    some.then(|| Ok(array.into())).into_iter().chain(failed).collect()
}
