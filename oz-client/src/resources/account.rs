//! Who the caller is and which workers it may send to.

use oz_core::api::{Account, WorkerList};

noun! {
    /// Calls about the caller and the workers of its team.
    Accounts account
}

calls! { Accounts;
    /// Gets who the caller is.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
    /// println!("{:?}", client.account().whoami().await?.principal);
    /// # Ok(()) }
    /// ```
    whoami(WhoAmI {}) -> Account;
    /// Lists the workers that are connected.
    workers(ListWorkers {}) -> WorkerList;
}
